/* cmd_symbolize.c - `thaw symbolize`: puts source lines into the backtraces of a log. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/source_lines.h"
#include "executor/cli/verbs.h"

/* Prints a line, piece by piece, each of which has room in the @size bytes at @copy. */
static void symbolize_line(const struct source_lines *lines, const char *line,
			   char *copy, size_t size)
{
	while (*line) {
		line += source_lines_put(lines, line, copy, size);
		fputs(copy, stdout);
	}
}

/* Copies standard input to standard output, line by line. */
static int symbolize_copy(const struct source_lines *lines)
{
	cleanup_free char *line = NULL, *copy = NULL;
	size_t capacity = 0;
	ssize_t size;

	while ((size = getline(&line, &capacity, stdin)) >= 0) {
		char *larger = realloc(copy, capacity + SOURCE_LINE_MAX);

		if (!larger) {
			cli_error("symbolize: no memory for a line");
			return CLI_INTERNAL;
		}
		copy = larger;
		if (strlen(line) == (size_t)size) {
			symbolize_line(lines, line, copy,
				       capacity + SOURCE_LINE_MAX);
		} else {
			fwrite(line, 1, (size_t)size, stdout); /* no text */
		}
	}
	if (!ferror(stdin))
		return CLI_OK;
	cli_error("symbolize: reading standard input: %s", strerror(errno));
	return CLI_INTERNAL;
}

static int symbolize_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct source_lines *lines;
	const char *path;
	struct error error;
	int code = cli_parse(verb, argc, argv, NULL, &path);
	int r;

	if (code != CLI_GO_ON)
		return code;
	r = source_lines_open(path, &error, &lines);
	if (r) {
		cli_error("%s", error.message);
		return r == -ENODATA ? CLI_CATALOG : cli_deploy_code(r);
	}
	code = symbolize_copy(lines);
	source_lines_close(lines);
	return code;
}

const struct cli_verb cmd_symbolize = {
	.name = "symbolize",
	.operand = "IMAGE",
	.summary = "put source lines into the backtraces of a log",
	.about =
		"Copies a log from standard input to standard output. In each call of a backtrace,\n"
		"such as\n"
		"\n"
		"  #1 parse+0x12 (0x101a52)\n"
		"\n"
		"the source line, from the debug information of the function's IMAGE, takes the\n"
		"place of the address: `#1 parse+0x12 (json.c:40)`. What is not of this very image\n"
		"stays as it is. Debug information is not checked as the rest of an image is: do not\n"
		"give an image that you do not trust.\n",
	.examples = "  thaw symbolize hello.elf <serve.log\n"
		    "  journalctl -u thaw | thaw symbolize hello.elf\n",
	.run = symbolize_run,
};
