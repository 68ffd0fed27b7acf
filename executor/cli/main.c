/*
 * main.c - the command `thaw`: finds the verb and runs it. verbs.c lists the
 * verbs; what a verb does is in its cmd_*.c, and what they share in cli.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "executor/cli/cli.h"
#include "executor/cli/help.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

/* Bytes of a name, with its zero. */
#define NAME_MAX_BYTES 64

static bool is_help(const char *option)
{
	return !strcmp(option, "--help") || !strcmp(option, "-h");
}

/* Runs the verb of two words, of which argv[2] is the second. */
static int run_of_noun(int argc, char **argv)
{
	char name[NAME_MAX_BYTES];
	const struct cli_verb *verb;

	if (argc < 3) {
		help_print_noun(argv[1], stderr);
		return CLI_USAGE;
	}
	if (is_help(argv[2])) {
		help_print_noun(argv[1], stdout);
		return CLI_OK;
	}
	snprintf(name, sizeof(name), "%s %s", argv[1], argv[2]);
	verb = verbs_find(name);
	return verb ? verb->run(verb, argc - 2, argv + 2) : help_no_verb(name);
}

static int run_verb(int argc, char **argv)
{
	const struct cli_verb *verb;

	if (argc < 2) {
		help_print_all(stderr);
		return CLI_USAGE;
	}
	if (is_help(argv[1]))
		return cmd_help.run(&cmd_help, 1, argv);
	if (!strcmp(argv[1], "--version"))
		return cmd_version.run(&cmd_version, 1, argv);
	if (verbs_is_noun(argv[1]))
		return run_of_noun(argc, argv);
	verb = verbs_find(argv[1]);
	return verb ? verb->run(verb, argc - 1, argv + 1) :
		      help_no_verb(argv[1]);
}

/*
 * Gives each standard stream that is closed a file that fails as a closed one
 * does. Otherwise another file would get its number, and would receive what is
 * printed.
 */
static void occupy_standard_streams(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
	int code;

	occupy_standard_streams();
	code = run_verb(argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		cli_error("cannot write to standard output: %m");
		return CLI_INTERNAL;
	}
	return code;
}
