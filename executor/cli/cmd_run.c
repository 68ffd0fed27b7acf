/*
 * cmd_run.c - `thaw run`: runs an image without a catalog. A catalog is made
 * for it, so options mean exactly what the catalog's keys mean, and are refused
 * alike.
 */
#include <ctype.h>
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
#include "executor/cli/run_catalog.h"
#include "executor/cli/verbs.h"
#include "executor/limits.h"

/* The name of that catalog in messages, and the part before a mistake. */
#define CATALOG_NAME "options"
#define PLACE CATALOG_NAME ":1: /functions/0/"
#define ENVIRONMENT "environment"

struct run_options {
	struct run_function function;
	struct invocation_options invocation;
};

static int set_environment(const struct cli_option *option, const char *value,
			   void *target)
{
	struct run_function *function =
		&((struct run_options *)target)->function;

	if (!strchr(value, '=')) {
		cli_error("--%s: \"%s\" is not NAME=VALUE", option->name,
			  value);
		return CLI_USAGE;
	}
	if (function->environment_count == RUN_ENVIRONMENT_MAX) {
		cli_error("--%s: more than %d of them", option->name,
			  RUN_ENVIRONMENT_MAX);
		return CLI_USAGE;
	}
	function->environment[function->environment_count++] = value;
	return 0;
}

/* clang-format off */
#define KEY(name, argument, help, member)                   \
	{ 0, name, argument, help, cli_set_text,            \
	  offsetof(struct run_options, function.member), 0 }

static const struct cli_option options[] = {
	INVOCATION_OPTIONS(struct run_options),
	KEY("entry", "HANDLER",
	    "the handler or typed function; default all typed\n"
	    "functions, else the handler with the image's name,\n"
	    "else the image's only one", entry),
	KEY("memory", "SIZE", "guest memory; default 16MiB", memory),
	KEY("timeout", "TIME", "longest invocation; default 1s", timeout),
	KEY("init-timeout", "TIME",
	    "longest boot and init; default 30s", init_timeout),
	KEY("max-request", "SIZE", "largest request; default 1MiB",
	    max_request),
	KEY("max-reply", "SIZE", "largest reply; default 1MiB", max_reply),
	{ 0, "env", "NAME=VALUE",
	  "set a variable of the guest's environment; may be\n"
	  "repeated", set_environment, 0, 0 },
	{ .name = NULL },
};
/* clang-format on */

/*
 * Makes a name of the image's file name: without suffix, and without characters
 * that a name may not have.
 */
static void make_name(const char *path, char name[LIMIT_NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	const char *dot = strrchr(base, '.');
	size_t used = 0;

	for (; *base && base != dot && used < LIMIT_NAME_MAX; base++) {
		unsigned char c = (unsigned char)*base;

		if ((isascii(c) && isalnum(c)) || c == '_' ||
		    (used && (c == '-' || c == '.')))
			name[used++] = (char)c;
	}
	name[used] = '\0';
	if (!used)
		strcpy(name, "function");
}

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

/*
 * Prints a mistake as one of the option: "options:1: /functions/0/max_reply:
 * ..." becomes "--max-reply: ...", and "environment/NAME" becomes "--env NAME:
 * ...".
 */
static void run_print_mistake(const char *message)
{
	const char *key = message + strlen(PLACE), *rest;

	if (strncmp(message, PLACE, strlen(PLACE)) != 0) {
		cli_error("%s", message);
		return;
	}
	rest = key + strcspn(key, "/:");
	if (!strncmp(key, ENVIRONMENT, strlen(ENVIRONMENT)))
		cli_error("--env%s%s", *rest == '/' ? " " : "",
			  rest + (*rest == '/'));
	else if (!strncmp(key, "max_", 4) || !strncmp(key, "init_", 5))
		cli_error("--%.*s-%s", (int)strcspn(key, "_"), key,
			  strchr(key, '_') + 1);
	else
		cli_error("--%s", key);
}

static int open_function(const struct run_function *function,
			 const struct engine_options *library,
			 struct thaw **ret_thaw)
{
	cleanup_free char *text = run_catalog_text(function);
	struct thaw_error error;
	int r;

	if (!text) {
		cli_error("the image's path and the options must be UTF-8");
		return CLI_USAGE;
	}
	r = engine_open_text(text, strlen(text), CATALOG_NAME, library, &error,
			     ret_thaw);
	if (!r)
		return CLI_GO_ON;
	run_print_mistake(error.message);
	return r == -EINVAL ? CLI_USAGE : CLI_INTERNAL;
}

static int run_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct run_options my = { .function.name = NULL };
	cleanup_free char *image = NULL;
	char name[LIMIT_NAME_MAX + 1];
	struct engine_options library;
	struct thaw *thaw;
	const char *path;
	int code;

	code = cli_parse(verb, argc, argv, &my, &path);
	if (code != CLI_GO_ON)
		return code;
	image = find_image(path);
	if (!image)
		return CLI_NOT_FOUND;
	make_name(path, name);
	my.function.name = name;
	my.function.image = image;
	library = invoke_local_options(&my.invocation);
	code = open_function(&my.function, &library, &thaw);
	if (code != CLI_GO_ON)
		return code;
	code = invoke_local(thaw, name, &my.invocation);
	thaw_close(thaw);
	return code;
}

const struct cli_verb cmd_run = {
	.name = "run",
	.operand = "IMAGE",
	.summary = "run an image without a catalog",
	.about =
		"Boots the ELF file IMAGE, sends it one request and prints its reply, as `thaw\n"
		"invoke` does. The function has the file's name without its suffix.\n",
	.examples = "  thaw run hello.elf -d '{\"name\":\"Ada\"}'\n"
		    "  thaw run hello.elf --entry hello_time\n"
		    "  thaw run count.elf --memory 64MiB --max-request 8MiB "
		    "-d @book.txt\n"
		    "  thaw run greet.elf --env GREETING=Salut --env "
		    "LANG=fr\n",
	.options = options,
	.run = run_run,
};
