/* cmd_completion.c - `thaw completion`: scripts for shells. */
#include <stdio.h>
#include <string.h>

#include "executor/cli/cli.h"
#include "executor/cli/completion.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

static const struct {
	const char *name;
	void (*write)(FILE *file);
} shells[] = {
	{ "bash", completion_bash },
	{ "zsh", completion_zsh },
	{ "fish", completion_fish },
};

static int run(const struct cli_verb *verb, int argc, char **argv)
{
	const char *name;
	int code = cli_parse(verb, argc, argv, NULL, &name);

	if (code != CLI_GO_ON)
		return code;
	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++)
		if (!strcmp(shells[i].name, name)) {
			shells[i].write(stdout);
			return CLI_OK;
		}
	cli_error("completion: \"%s\" is none of %s", name, verb->operand);
	return CLI_USAGE;
}

const struct cli_verb cmd_completion = {
	.name = "completion",
	.operand = "bash|zsh|fish",
	.summary = "print a script that completes command lines",
	.about = "Prints a script for a shell, which then completes verbs, "
		 "options, files and the\n"
		 "names of functions: those of the catalog, or else of the "
		 "running server.\n",
	.examples = "  . <(thaw completion bash)\n"
		    "  thaw completion zsh >~/.zfunc/_thaw\n"
		    "  thaw completion fish "
		    ">~/.config/fish/completions/thaw.fish\n",
	.run = run,
};
