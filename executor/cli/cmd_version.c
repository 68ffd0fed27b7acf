/* cmd_version.c - `thaw version`: prints the version. */
#include <jansson.h>
#include <stdio.h>

#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"
#include "guest/abi/thaw_abi.h"

struct version_options {
	bool json;
};

static const struct cli_option options[] = {
	CLI_OPTION_FORMAT(struct version_options, json),
	{ .name = NULL },
};

static int version_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct version_options my = { .json = false };
	int code = cli_parse(verb, argc, argv, &my, NULL);

	if (code != CLI_GO_ON)
		return code;
	if (my.json) {
		json_auto_t *version = json_pack("{s:s, s:i}", "version",
						 thaw_version(), "guest_abi",
						 THAW_ABI_VERSION);

		json_dumpf(version, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		printf("thaw %s\n", thaw_version());
	}
	return CLI_OK;
}

const struct cli_verb cmd_version = {
	.name = "version",
	.summary = "print the version",
	.about =
		"Prints the version of thaw. The JSON form also has the version of its contract\n"
		"with guests.\n",
	.examples = "  thaw version -o json\n",
	.options = options,
	.run = version_run,
};
