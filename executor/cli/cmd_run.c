/*
 * cmd_run.c - `thaw run`: runs an image, or a Linux program, without a catalog. A
 * catalog is made for it, so options mean exactly what the catalog's keys mean, and
 * are refused alike.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "executor/cli/cli.h"
#include "executor/cli/invocation.h"
#include "executor/cli/invoke_local.h"
#include "executor/cli/options.h"
#include "executor/cli/run_settings.h"
#include "executor/cli/verbs.h"
#include "executor/limits.h"

/* The name of that catalog in messages. */
#define CATALOG_NAME "options"

struct run_options {
	const char *entry;
	struct run_settings settings;
	struct invocation_options invocation;
};

static const struct cli_option options[] = {
	INVOCATION_OPTIONS(struct run_options),
	{ 0, "entry", "HANDLER",
	  "the handler or typed function; default all typed\n"
	  "functions, else the handler with the image's name,\n"
	  "else the image's only one",
	  cli_set_text, offsetof(struct run_options, entry), 0 },
	RUN_SETTINGS_OPTIONS(struct run_options, RUN_SETTINGS_ALSO_IMAGES),
	{ .name = NULL },
};

/* Returns the image's absolute path on the heap; NULL after a message. */
static char *find_image(const char *path)
{
	char *absolute = realpath(path, NULL);
	struct stat status;
	int error = 0;

	if (!absolute || stat(absolute, &status) || access(absolute, R_OK))
		error = errno;
	else if (S_ISDIR(status.st_mode))
		error = EISDIR;
	if (!error)
		return absolute;
	cli_error("%s: %s", path, strerror(error));
	free(absolute);
	return NULL;
}

static int open_function(const struct run_function *function,
			 const struct engine_options *library,
			 struct thaw **ret_thaw)
{
	cleanup_free char *text = run_catalog_text(function, 1);
	struct thaw_error error;
	int r;

	if (!text) {
		cli_error("the %s and the options must be UTF-8",
			  function->program ? "program, its arguments" :
					      "image's path");
		return CLI_USAGE;
	}
	r = engine_open_text(text, strlen(text), CATALOG_NAME, library, &error,
			     ret_thaw);
	if (!r)
		return CLI_GO_ON;
	run_settings_print_mistake(error.message, CATALOG_NAME);
	return r == -EINVAL ? CLI_USAGE : CLI_INTERNAL;
}

static int run_once(struct run_options *my, const struct run_function *function)
{
	struct engine_options library;
	struct thaw *thaw;
	int code;

	if (cli_state_take(&my->invocation.state))
		return CLI_USAGE;
	library = invoke_local_options(&my->invocation);
	code = open_function(function, &library, &thaw);
	if (code != CLI_GO_ON)
		return code;
	code = invoke_local(thaw, function->name, &my->invocation);
	thaw_close(thaw);
	return code;
}

static int run_image(struct run_options *my, const char *path)
{
	const struct run_settings *settings = &my->settings;
	cleanup_free char *image = NULL;
	char name[LIMIT_NAME_MAX + 1];
	struct run_function function = { .name = name,
					 .entry = my->entry,
					 .settings = settings };

	if (settings->file_count || settings->root || settings->devices ||
	    settings->interrupt_count || my->invocation.strace) {
		cli_error("run: --file, --root, --strace, --devices and "
			  "--interrupt are for a program: give it behind --");
		return CLI_USAGE;
	}
	function.image = image = find_image(path);
	if (!image)
		return CLI_NOT_FOUND;
	program_make_name(path, name);
	return run_once(my, &function);
}

/* What is wrong is either the program's end, which is told, or thaw's. */
static int code_of_program(int code)
{
	if (code >= INVOCATION_ENDED)
		return code - INVOCATION_ENDED;
	switch (code) {
	case CLI_USAGE:
	case CLI_CATALOG:
	case CLI_NOT_FOUND:
	case CLI_THROTTLED:
	case CLI_ENVIRONMENT:
	case CLI_INTERNAL:
		return PROGRAM_FAILED;
	default:
		return code;
	}
}

static int run_program(struct run_options *my, char *const *command)
{
	struct run_function function;
	struct program program;
	int code;

	if (my->entry) {
		cli_error("run: --entry is for an image: a program has none");
		return CLI_USAGE;
	}
	my->invocation.is_program = true;
	if (!my->invocation.data)
		my->invocation.data = "-";
	code = run_settings_open(&my->settings, "run", command, &program);
	function = run_settings_function(&my->settings, &program);
	if (code == CLI_GO_ON)
		code = code_of_program(run_once(my, &function));
	program_done(&program);
	return code;
}

static int run_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct run_options my = { .entry = NULL };
	char *const *command;
	const char *image;
	int code = cli_parse_command(verb, argc, argv, &my, &image, &command);

	if (code != CLI_GO_ON)
		return code;
	return command ? run_program(&my, command) : run_image(&my, image);
}

const struct cli_verb cmd_run = {
	.name = "run",
	.operand = "IMAGE",
	.command = "PROGRAM [ARGUMENT]...",
	.summary = "run an image, or a Linux program, without a catalog",
	.about =
		"Boots the ELF file IMAGE, sends it one request and prints its reply, as `thaw\n"
		"invoke` does. The function has the file's name without its suffix.\n"
		"\n"
		"Runs the Linux program PROGRAM, which it finds in $PATH, in a vm: standard input,\n"
		"or -d, is its input, and its output and its exit status are those of thaw. The\n"
		"program can read the system's programs and libraries, the files that its arguments\n"
		"name, and those of --file. Its environment is that of --env. If thaw itself fails,\n"
		"the exit status is 125; 126: PROGRAM cannot be executed; 127: there is no PROGRAM.\n",
	.examples = "  thaw run hello.elf -d '{\"name\":\"Ada\"}'\n"
		    "  thaw run hello.elf --entry hello_time\n"
		    "  thaw run count.elf --memory 64MiB --max-request 8MiB "
		    "-d @book.txt\n"
		    "  thaw run greet.elf --env GREETING=Salut --env "
		    "LANG=fr\n"
		    "  thaw run -- python3 handler.py <request.json\n"
		    "  thaw run --strace -- jq .name <request.json\n",
	.options = options,
	.run = run_run,
};
