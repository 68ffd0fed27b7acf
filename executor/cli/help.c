/* help.c - see help.h. */
#include "executor/cli/help.h"

#include <string.h>

#include "base/similar.h"
#include "executor/cli/cli.h"
#include "executor/cli/verbs.h"

#define NAME_MAX_BYTES 64

int help_no_verb(const char *typed)
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

/* Prints the verbs, or only those of @noun. */
static void help_list(const char *noun, FILE *file)
{
	for (size_t i = 0; cli_verbs[i]; i++) {
		const struct cli_verb *verb = cli_verbs[i];
		char start[NAME_MAX_BYTES];

		if (verb->is_hidden || (noun && !verbs_is_of_noun(verb, noun)))
			continue;
		snprintf(start, sizeof(start), "%s %s", verb->name,
			 verb->operand ? verb->operand : "");
		fprintf(file, "  %-24s  %s\n", start, verb->summary);
	}
}

void help_print_noun(const char *noun, FILE *file)
{
	fprintf(file, "Usage: thaw %s VERB [OPTION]...\n\nVerbs:\n", noun);
	help_list(noun, file);
}

void help_print_all(FILE *file)
{
	fputs("Usage: thaw VERB [OPTION]...\n\n"
	      "Runs small functions in virtual machines that start from a "
	      "snapshot.\n\nVerbs:\n",
	      file);
	help_list(NULL, file);
	fputs("\n`thaw VERB --help` explains a verb; the manual is thaw(1).\n",
	      file);
}
