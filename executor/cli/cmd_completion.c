/* cmd_completion.c - `thaw completion`: the scripts of config/completion/. */
#include <stdio.h>
#include <string.h>

#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

/* The build puts the scripts into the program. */
#define INCLUDE_SCRIPT(name, file)                             \
	extern const char name##_script[];                     \
	__asm__(".pushsection .rodata\n"                       \
		".globl " #name "_script\n" #name "_script:\n" \
		".incbin \"" file "\"\n"                       \
		".byte 0\n"                                    \
		".popsection\n")

INCLUDE_SCRIPT(bash, COMPLETION_DIRECTORY "/thaw.bash");
INCLUDE_SCRIPT(zsh, COMPLETION_DIRECTORY "/thaw.zsh");
INCLUDE_SCRIPT(fish, COMPLETION_DIRECTORY "/thaw.fish");

static const struct {
	const char *name, *script;
} shells[] = {
	{ "bash", bash_script },
	{ "zsh", zsh_script },
	{ "fish", fish_script },
};

static int completion_run(const struct cli_verb *verb, int argc, char **argv)
{
	const char *name;
	int code = cli_parse(verb, argc, argv, NULL, &name);

	if (code != CLI_GO_ON)
		return code;
	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++)
		if (!strcmp(shells[i].name, name)) {
			fputs(shells[i].script, stdout);
			return CLI_OK;
		}
	cli_error("completion: \"%s\" is none of %s", name, verb->operand);
	return CLI_USAGE;
}

const struct cli_verb cmd_completion = {
	.name = "completion",
	.operand = "bash|zsh|fish",
	.summary = "print a script that completes command lines",
	.about =
		"Prints a script that makes a shell complete verbs, options, files, and names of\n"
		"functions, from the catalog or, if there is none, from the running server.\n",
	.examples = "  . <(thaw completion bash)\n"
		    "  thaw completion zsh >~/.zfunc/_thaw\n"
		    "  thaw completion fish "
		    ">~/.config/fish/completions/thaw.fish\n",
	.run = completion_run,
};
