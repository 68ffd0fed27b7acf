/*
 * main.c - the command `thaw`: finds the verb and runs it. What a verb does is
 * in cmd_*.c; what they share in cli.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/similar.h"
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

#define NAME_MAX_BYTES 64

static const struct cli_verb help_verb;

/* In the order of the help. */
const struct cli_verb *const cli_verbs[] = {
	&cmd_serve,
	&cmd_invoke,
	&cmd_run,
	&cmd_bench,
	&cmd_functions_list,
	&cmd_functions_describe,
	&cmd_catalog_validate,
	&cmd_catalog_schema,
	&cmd_status,
	&cmd_metrics,
	&cmd_top,
	&cmd_reload,
	&cmd_drain,
	&cmd_doctor,
	&cmd_completion,
	&cmd_complete,
	&cmd_version,
	&help_verb,
	NULL,
};

/* Whether @verb is one of several that begin with the word @noun. */
static bool is_of_noun(const struct cli_verb *verb, const char *noun)
{
	size_t size = strlen(noun);

	return !strncmp(verb->name, noun, size) && verb->name[size] == ' ';
}

static bool is_noun(const char *word)
{
	for (size_t i = 0; cli_verbs[i]; i++)
		if (is_of_noun(cli_verbs[i], word))
			return true;
	return false;
}

static const struct cli_verb *find(const char *name)
{
	for (size_t i = 0; cli_verbs[i]; i++)
		if (!strcmp(cli_verbs[i]->name, name))
			return cli_verbs[i];
	return NULL;
}

static bool is_help(const char *option)
{
	return !strcmp(option, "--help") || !strcmp(option, "-h");
}

/*
 * What was typed is no verb: says so, and which is nearest. A single word is
 * compared with first words, two with whole names.
 */
static int no_verb(const char *typed)
{
	struct similar similar = similar_to(typed);

	for (size_t i = 0; cli_verbs[i]; i++) {
		const char *name = cli_verbs[i]->name;

		if (cli_verbs[i]->is_hidden)
			continue;
		similar_try(&similar, name,
			    strchr(typed, ' ') ? strlen(name) :
						 strcspn(name, " "));
	}
	if (similar.name)
		cli_error("no verb \"%s\": did you mean \"%.*s\"?", typed,
			  (int)similar.size, similar.name);
	else
		cli_error("no verb \"%s\"", typed);
	fputs("see: thaw help\n", stderr);
	return CLI_USAGE;
}

/* The verbs, or only those of @noun. */
static void list_verbs(const char *noun, FILE *file)
{
	for (size_t i = 0; cli_verbs[i]; i++) {
		const struct cli_verb *verb = cli_verbs[i];
		char start[NAME_MAX_BYTES];

		if (verb->is_hidden || (noun && !is_of_noun(verb, noun)))
			continue;
		snprintf(start, sizeof(start), "%s %s", verb->name,
			 verb->operand ? verb->operand : "");
		fprintf(file, "  %-24s  %s\n", start, verb->summary);
	}
}

static void print_noun(const char *noun, FILE *file)
{
	fprintf(file, "Usage: thaw %s VERB [OPTION]...\n\nVerbs:\n", noun);
	list_verbs(noun, file);
}

static void print_all(FILE *file)
{
	fputs("Usage: thaw VERB [OPTION]...\n\n"
	      "Runs small functions in virtual machines that start from a "
	      "snapshot.\n\nVerbs:\n",
	      file);
	list_verbs(NULL, file);
	fputs("\n`thaw VERB --help` explains a verb; the manual is thaw(1).\n",
	      file);
}

static int help(const struct cli_verb *verb, int argc, char **argv)
{
	char name[NAME_MAX_BYTES];
	const struct cli_verb *found;

	if (argc < 2) {
		print_all(stdout);
		return CLI_OK;
	}
	if (is_help(argv[1])) {
		cli_print_help(verb);
		return CLI_OK;
	}
	snprintf(name, sizeof(name), "%s%s%s", argv[1], argc > 2 ? " " : "",
		 argc > 2 ? argv[2] : "");
	found = find(name);
	if (found)
		cli_print_help(found);
	else if (is_noun(name))
		print_noun(name, stdout);
	else
		return no_verb(name);
	return CLI_OK;
}

static const struct cli_verb help_verb = {
	.name = "help",
	.operand = "[VERB]",
	.summary = "explain a verb, or list them",
	.about = "Explains VERB as `thaw VERB --help` does; without it, lists "
		 "the verbs.\n",
	.examples = "  thaw help\n"
		    "  thaw help functions list\n",
	.run = help,
};

/* The verb of two words, the second being argv[2]. */
static int run_of_noun(int argc, char **argv)
{
	char name[NAME_MAX_BYTES];
	const struct cli_verb *verb;

	if (argc < 3) {
		print_noun(argv[1], stderr);
		return CLI_USAGE;
	}
	if (is_help(argv[2])) {
		print_noun(argv[1], stdout);
		return CLI_OK;
	}
	snprintf(name, sizeof(name), "%s %s", argv[1], argv[2]);
	verb = find(name);
	return verb ? verb->run(verb, argc - 2, argv + 2) : no_verb(name);
}

static int run(int argc, char **argv)
{
	const struct cli_verb *verb;

	if (argc < 2) {
		print_all(stderr);
		return CLI_USAGE;
	}
	if (is_help(argv[1]))
		return help(&help_verb, 1, argv);
	if (!strcmp(argv[1], "--version"))
		return cmd_version.run(&cmd_version, 1, argv);
	if (is_noun(argv[1]))
		return run_of_noun(argc, argv);
	verb = find(argv[1]);
	return verb ? verb->run(verb, argc - 1, argv + 1) : no_verb(argv[1]);
}

/*
 * A standard stream that was closed gets a file that fails as a closed one
 * does, so that no other file takes its number and receives what is printed.
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
	code = run(argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		cli_error("cannot write to standard output: %m");
		return CLI_INTERNAL;
	}
	return code;
}
