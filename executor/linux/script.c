/* script.c - see script.h. Reference: execve(2), "Interpreter scripts". */
#include "executor/linux/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

/* What the line has behind the interpreter is one argument. */
static int make_script(const char *interpreter, size_t length, const char *rest,
		       const char *path, char *const *arguments,
		       struct script *script)
{
	size_t count = 0, used = 0;

	while (arguments && arguments[count])
		count++;
	script->interpreter = strndup(interpreter, length);
	script->arguments = calloc(count + 4, sizeof(char *));
	if (!script->interpreter || !script->arguments)
		return -ENOMEM;
	script->arguments[used++] = strdup(script->interpreter);
	if (*rest)
		script->arguments[used++] = strdup(rest);
	script->arguments[used++] = strdup(path);
	for (size_t i = 1; i < count; i++)
		script->arguments[used++] = strdup(arguments[i]);
	for (size_t i = 0; i < used; i++)
		if (!script->arguments[i])
			return -ENOMEM;
	return 0;
}

int script_read(const uint8_t *bytes, size_t size, const char *path,
		char *const *arguments, struct error *err,
		struct script *ret_script)
{
	char line[SCRIPT_LINE_MAX + 1];
	char *start, *end;
	int r;

	*ret_script = (struct script){ NULL, NULL };
	if (size < 2 || memcmp(bytes, "#!", 2) != 0)
		return 0;
	if (size > SCRIPT_LINE_MAX)
		size = SCRIPT_LINE_MAX;
	memcpy(line, bytes, size);
	line[size] = '\0';
	end = strchr(line, '\n');
	if (!end && size == SCRIPT_LINE_MAX)
		return error_set(err, -ENOEXEC,
				 "%s: its first line, \"#!\", has more than %d "
				 "bytes: shorten it",
				 path, SCRIPT_LINE_MAX);
	if (end)
		*end = '\0';
	end = line + strlen(line);
	while (end > line + 2 && strchr(BLANKS, end[-1]))
		*--end = '\0';
	start = line + 2 + strspn(line + 2, BLANKS);
	if (!*start)
		return error_set(err, -ENOEXEC,
				 "%s: its first line, \"#!\", names no "
				 "interpreter",
				 path);
	end = start + strcspn(start, BLANKS);
	r = make_script(start, (size_t)(end - start), end + strspn(end, BLANKS),
			path, arguments, ret_script);
	if (!r)
		return 1;
	script_done(ret_script);
	return error_set(err, r, "%s: out of memory", path);
}

void script_done(struct script *script)
{
	for (size_t i = 0; script->arguments && script->arguments[i]; i++)
		free(script->arguments[i]);
	free(script->arguments);
	free(script->interpreter);
	*script = (struct script){ NULL, NULL };
}
