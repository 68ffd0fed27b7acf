/* error.c - formats error messages. See error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/*
 * Messages quote text from outside, and every message passes here. The end may
 * have been cut in the middle of a character.
 */
static void clean(struct error *err)
{
	text_clean(err->message, strlen(err->message));
}

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	clean(err);
	return code;
}

int error_prefix(struct error *err, int code, const char *format, ...)
{
	char old[ERROR_MESSAGE_MAX];
	va_list args;
	size_t used;

	if (!err)
		return code;
	memcpy(old, err->message, sizeof(old));
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	used = strlen(err->message);
	if (!strncmp(old, err->message, used) &&
	    !strncmp(old + used, ": ", 2)) {
		memcpy(err->message, old, sizeof(old));
		return code;
	}
	for (const char *from = ": "; used + 1 < sizeof(err->message) && *from;)
		err->message[used++] = *from++;
	for (const char *from = old; used + 1 < sizeof(err->message) && *from;)
		err->message[used++] = *from++;
	err->message[used] = '\0';
	clean(err);
	return code;
}
