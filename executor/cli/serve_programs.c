/* serve_programs.c - see serve_programs.h. Reference: wordexp(3), memfd_create(2). */
#include "executor/cli/serve_programs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wordexp.h>

#include "base/cleanup.h"
#include "executor/catalog.h"
#include "executor/cli/cli.h"
#include "executor/cli/run_settings.h"

#define OPTION "--program"
#define NAME_CHARACTERS                                        \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789_.-"

static const char *describe_split(int result)
{
	switch (result) {
	case WRDE_BADCHAR:
		return "a newline or one of | & ; < > ( ) { } is not in "
		       "quotes, and there is no shell";
	case WRDE_CMDSUB:
		return "it has a command substitution, and there is no shell";
	case WRDE_NOSPACE:
		return "no memory";
	default:
		return "a quote is not closed";
	}
}

/* Takes the command of @text, and the name if there is one. */
static int take_text(const char *text, const struct run_settings *settings,
		     struct program *program)
{
	const size_t size = strspn(text, NAME_CHARACTERS);
	const bool has_name = text[size] == '=';
	const char *command = has_name ? text + size + 1 : text;
	wordexp_t words;
	int r, code = CLI_USAGE;

	if (has_name && (!size || size > LIMIT_NAME_MAX)) {
		cli_error(OPTION ": \"%s\": a name has 1 to %d characters",
			  text, LIMIT_NAME_MAX);
		return CLI_USAGE;
	}
	r = wordexp(command, &words, WRDE_NOCMD);
	if (r) {
		cli_error(OPTION ": \"%s\": %s", command, describe_split(r));
		return CLI_USAGE;
	}
	if (!words.we_wordc || !*words.we_wordv[0])
		cli_error(OPTION ": \"%s\": there is no command", text);
	else
		code = run_settings_open(settings, OPTION, words.we_wordv,
					 program);
	wordfree(&words);
	if (has_name)
		snprintf(program->name, sizeof(program->name), "%.*s",
			 (int)size, text);
	return code == PROGRAM_FAILED ? CLI_INTERNAL : code;
}

/* Keeps @text in a file that has no name. */
static int keep_text(const char *text, char **ret_path)
{
	const size_t size = strlen(text);
	cleanup_close int fd = memfd_create("programs", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, size) != (ssize_t)size ||
	    asprintf(ret_path, "/proc/self/fd/%d", fd) < 0) {
		cli_error(OPTION ": cannot keep a catalog in memory: %s",
			  strerror(errno));
		return CLI_INTERNAL;
	}
	/* it is open until the process ends */
	(void)take_fd(&fd);
	return CLI_GO_ON;
}

/* Says what is wrong with the catalog in the words of the option. */
static int check_text(const char *text)
{
	struct catalog *catalog;
	struct error err;
	int r = catalog_parse(text, strlen(text), OPTION, &err, &catalog);

	if (r) {
		run_settings_print_mistake(err.message, OPTION);
		return CLI_USAGE;
	}
	catalog_free(catalog);
	return CLI_GO_ON;
}

static int make_catalog(const struct run_function *functions, size_t count,
			char **ret_path)
{
	cleanup_free char *text = run_catalog_text(functions, count);
	int code;

	if (!text) {
		cli_error(OPTION ": a program, its arguments and its options "
				 "must be UTF-8");
		return CLI_USAGE;
	}
	code = check_text(text);
	return code == CLI_GO_ON ? keep_text(text, ret_path) : code;
}

int serve_programs_catalog(const char *const *texts, size_t count,
			   const struct run_settings *settings, char **ret_path)
{
	struct program *programs = calloc(count, sizeof(*programs));
	struct run_function *functions = calloc(count, sizeof(*functions));
	int code = CLI_GO_ON;

	if (!programs || !functions) {
		cli_error(OPTION ": no memory");
		code = CLI_INTERNAL;
	}
	for (size_t i = 0; code == CLI_GO_ON && i < count; i++) {
		code = take_text(texts[i], settings, &programs[i]);
		functions[i] = run_settings_function(settings, &programs[i]);
	}
	if (code == CLI_GO_ON)
		code = make_catalog(functions, count, ret_path);
	for (size_t i = 0; programs && i < count; i++)
		program_done(&programs[i]);
	free(programs);
	free(functions);
	return code;
}
