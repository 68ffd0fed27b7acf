/* cmd_invoke.c - `thaw invoke`: one function of the catalog, in process. */
#include "executor/cli/cli.h"
#include "executor/cli/invocation.h"
#include "executor/cli/verbs.h"

struct invoke_options {
	const char *catalog;
	struct invocation_options invocation;
};

static const struct cli_option options[] = {
	CLI_OPTION_CATALOG(struct invoke_options, catalog),
	INVOCATION_OPTIONS(struct invoke_options),
	INVOCATION_OPTION(0, "timeout", "TIME",
			  "stop it sooner than the catalog says, such as\n"
			  "50ms",
			  cli_set_duration, struct invoke_options, timeout_ns,
			  0),
	{ .name = NULL },
};

static int run(const struct cli_verb *verb, int argc, char **argv)
{
	struct thaw_options library;
	struct invoke_options my = { .catalog = NULL };
	struct thaw_error error;
	struct thaw *thaw;
	const char *name;
	int code, r;

	code = cli_parse(verb, argc, argv, &my, &name);
	if (code != CLI_GO_ON)
		return code;
	my.catalog = cli_catalog_path(my.catalog);
	if (!my.catalog)
		return CLI_USAGE;
	library = invocation_library_options(&my.invocation);
	r = thaw_open(my.catalog, &library, &error, &thaw);
	if (r) {
		cli_error("%s", error.message);
		return cli_open_code(r);
	}
	code = invocation_run(thaw, name, &my.invocation);
	thaw_close(thaw);
	return code;
}

const struct cli_verb cmd_invoke = {
	.name = "invoke",
	.operand = "NAME",
	.summary = "invoke a function of the catalog",
	.about = "Boots the function NAME of the catalog, sends it one "
		 "request and prints its\n"
		 "reply. Its log lines, and its error if it fails, are "
		 "printed on standard error.\n",
	.examples = "  thaw invoke hello -d '{\"name\":\"Ada\"}'\n"
		    "  thaw invoke wordfreq -d @book.txt -o counts.json\n"
		    "  thaw invoke echo -i -t text/plain -d - <letter.txt\n"
		    "  thaw invoke hello --repeat 10000 >/dev/null\n",
	.options = options,
	.run = run,
};
