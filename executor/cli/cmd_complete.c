/*
 * cmd_complete.c - `thaw complete`: answers the scripts of `thaw completion`.
 */
#include <stdio.h>
#include <string.h>

#include "executor/cli/cli.h"
#include "executor/cli/completion.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

static int complete_run(const struct cli_verb *verb, int argc, char **argv)
{
	static char nothing[] = "";
	char *empty[] = { nothing };

	/*
	 * the words belong to another command line, and may look like options
	 */
	if (argc < 2 || strcmp(argv[1], "--") != 0) {
		int code = cli_parse(verb, argc, argv, NULL, NULL);

		if (code != CLI_GO_ON)
			return code;
		cli_error("complete: the words stand behind --");
		return CLI_USAGE;
	}
	if (argc == 2)
		completion_print(empty, 1);
	else
		completion_print(argv + 2, (size_t)argc - 2);
	return CLI_OK;
}

const struct cli_verb cmd_complete = {
	.name = "complete",
	.is_hidden = true,
	.summary = "say what completes a command line",
	.about =
		"Takes the words of a command line behind --, without \"thaw\", "
		"and prints what\n"
		"completes the last of them, for the scripts of `thaw "
		"completion`. The first line\n"
		"is \":words N\", \":files N\" or \":directories N\": what to "
		"offer behind the first N\n"
		"characters of that word. The words follow, one in a line; a "
		"tab and help may follow\n"
		"each.\n",
	.examples = "  thaw complete -- functions ''\n"
		    "  thaw complete -- invoke --output=\n",
	.run = complete_run,
};
