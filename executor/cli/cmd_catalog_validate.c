/* cmd_catalog_validate.c - `thaw catalog validate`: prints all mistakes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "executor/catalog.h"
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"
#include "executor/function.h"
#include "executor/invoke_init.h"

/* Most mistakes of one catalog that are printed. */
#define MISTAKES_MAX 100

#define STANDARD_INPUT "-"

struct validate_options {
	bool boot;
};

static const struct cli_option validate_options[] = {
	{ 0, "boot", NULL, "also boot each function; this needs KVM",
	  cli_set_flag, offsetof(struct validate_options, boot), 0 },
	{ .name = NULL },
};

/* Prints a mistake and counts it. */
static bool validate_print_mistake(void *cookie, const char *message)
{
	unsigned *count = cookie;

	cli_error("%s", message);
	return ++*count < MISTAKES_MAX;
}

/* Boots a function without warm vms, so that the next one has room. */
static int validate_boot(void *cookie, const struct catalog_function *function,
			 struct error *err)
{
	const struct function_options options = { .log = cli_print_log,
						  .answer_init = invoke_init };
	struct catalog_function alone = *function;
	struct function *booted = NULL;
	int r;

	(void)cookie;
	alone.concurrency.warm = 0;
	r = function_deploy(&alone, &options, err, &booted);
	function_free(booted);
	return r;
}

static int validate_check(const char *text, size_t size, const char *name,
			  const struct validate_options *my)
{
	struct catalog *catalog;
	struct error error;
	unsigned mistakes = 0;
	const struct catalog_check how = {
		.refused = validate_print_mistake,
		.function = my->boot ? validate_boot : NULL,
		.cookie = &mistakes,
	};
	int r = catalog_check(text, size, name, &how, &error, &catalog);

	if (!r) {
		printf("%s: valid, %zu function%s%s\n", name, catalog->count,
		       catalog->count == 1 ? "" : "s",
		       my->boot ? ", booted" : "");
		catalog_free(catalog);
		return CLI_OK;
	}
	if (mistakes == MISTAKES_MAX)
		cli_error("%s: there may be more mistakes: the first %d are "
			  "told",
			  name, MISTAKES_MAX);
	else if (r != -EINVAL)
		cli_error("%s", error.message);
	return mistakes ? CLI_CATALOG : cli_open_code(r);
}

static int catalog_validate_run(const struct cli_verb *verb, int argc,
				char **argv)
{
	struct validate_options my = { .boot = false };
	cleanup_free char *text = NULL;
	const char *path;
	struct error error;
	size_t size;
	bool is_input;
	int code, r;

	code = cli_parse(verb, argc, argv, &my, &path);
	if (code == CLI_GO_ON && my.boot)
		code = cli_require_kvm();
	if (code != CLI_GO_ON)
		return code;
	is_input = path && !strcmp(path, STANDARD_INPUT);
	if (!is_input)
		path = cli_catalog_path(path);
	if (!path)
		return CLI_USAGE;
	r = catalog_read(is_input ? NULL : path, &error, &text, &size);
	if (r) {
		cli_error("%s", error.message);
		return cli_open_code(r);
	}
	return validate_check(text, size, is_input ? "standard input" : path,
			      &my);
}

const struct cli_verb cmd_catalog_validate = {
	.name = "catalog validate",
	.operand = "[FILE]",
	.summary = "check a catalog for mistakes",
	.about =
		"Reads the catalog FILE (- is standard input; default $THAW_CATALOG, else\n"
		"config/functions.json) and says whether it is valid. Prints its mistakes, at most\n"
		"100, each with its line and JSON pointer. Checks the images as well: each must be\n"
		"for this machine, fit into the memory of its function, and have its handler. With\n"
		"--boot, boots each function, one after the other, and prints the log lines of their\n"
		"inits on standard error.\n",
	.examples = "  thaw catalog validate\n"
		    "  thaw catalog validate /etc/thaw/functions.json --boot\n"
		    "  jq . catalog.json | thaw catalog validate -\n",
	.options = validate_options,
	.run = catalog_validate_run,
};
