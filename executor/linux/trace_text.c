/* trace_text.c - see trace_text.h. */
#include "executor/linux/trace_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void trace_put(struct trace_text *text, const char *format, ...)
{
	const size_t room = sizeof(text->text) - text->used;
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(text->text + text->used, room, format, args);
	va_end(args);
	if (size > 0)
		text->used += (size_t)size < room ? (size_t)size : room - 1;
}

/* The letter behind the backslash; 0: the byte has none. */
static char escape_letter(char byte)
{
	static const char bytes[] = "\t\n\v\f\r\"\\";
	static const char letters[] = "tnvfr\"\\";
	const char *found = byte ? strchr(bytes, byte) : NULL;

	return found ? letters[found - bytes] : '\0';
}

static void put_byte(struct trace_text *text, char byte, bool before_digit)
{
	const char letter = escape_letter(byte);

	if (letter)
		trace_put(text, "\\%c", letter);
	else if (byte >= ' ' && byte <= '~')
		trace_put(text, "%c", byte);
	else
		trace_put(text, before_digit ? "\\%03o" : "\\%o",
			  (unsigned char)byte);
}

void trace_quote(struct trace_text *text, const void *bytes, size_t size,
		 bool is_cut)
{
	const char *at = bytes;

	trace_put(text, "\"");
	for (size_t i = 0; i < size; i++)
		put_byte(text, at[i],
			 i + 1 < size && at[i + 1] >= '0' && at[i + 1] <= '9');
	trace_put(text, is_cut ? "\"..." : "\"");
}
