/* cmd_help.c - `thaw help`: explains a verb, or lists them. */
#include <stdio.h>
#include <string.h>

#include "executor/cli/cli.h"
#include "executor/cli/help.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

/* Bytes of a name, with its zero. */
#define NAME_MAX_BYTES 64

static int help_run(const struct cli_verb *verb, int argc, char **argv)
{
	char name[NAME_MAX_BYTES];
	const struct cli_verb *found;

	if (argc < 2) {
		help_print_all(stdout);
		return CLI_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		cli_print_help(verb);
		return CLI_OK;
	}
	snprintf(name, sizeof(name), "%s%s%s", argv[1], argc > 2 ? " " : "",
		 argc > 2 ? argv[2] : "");
	found = verbs_find(name);
	if (found)
		cli_print_help(found);
	else if (verbs_is_noun(name))
		help_print_noun(name, stdout);
	else
		return help_no_verb(name);
	return CLI_OK;
}

const struct cli_verb cmd_help = {
	.name = "help",
	.operand = "[VERB]",
	.summary = "explain a verb, or list all verbs",
	.about =
		"Explains VERB as `thaw VERB --help` does. Without VERB, lists all verbs.\n",
	.examples = "  thaw help\n"
		    "  thaw help functions list\n",
	.run = help_run,
};
