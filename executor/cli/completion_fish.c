/*
 * completion_fish.c - the script for fish: a `complete` for each option. See
 * completion.h.
 */
#include <stdio.h>
#include <string.h>

#include "executor/cli/completion.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

/* Inside '...', where only these two need a backslash. */
static void write_quoted(const char *text, FILE *file)
{
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', file);
		fputc(*text, file);
	}
}

/* The options of `complete` that say what to offer. */
static void write_offer(const char *word, bool is_operand, FILE *file)
{
	switch (completion_kind(word, is_operand)) {
	case COMPLETION_FILE:
	case COMPLETION_DATA:
		fputs(" -F", file);
		break;
	case COMPLETION_DIRECTORY:
		fputs(" -f -a '(__fish_complete_directories)'", file);
		break;
	case COMPLETION_FUNCTION:
		fputs(" -f -a '(__thaw_functions)'", file);
		break;
	case COMPLETION_VERB:
		fputs(" -f -a '(__thaw_verbs)'", file);
		break;
	case COMPLETION_WORDS:
		fputs(" -f -a '", file);
		completion_words(word, file);
		fputc('\'', file);
		break;
	case COMPLETION_NONE:
		fputs(" -f", file);
		break;
	}
}

static void write_option(const struct cli_verb *verb,
			 const struct cli_option *option, FILE *file)
{
	char help[COMPLETION_HELP_MAX];

	fprintf(file, "complete -c thaw -n '__thaw_is %s' -l %s", verb->name,
		option->name);
	if (option->letter)
		fprintf(file, " -s %c", option->letter);
	if (option->argument) {
		/* what may be missing is not asked for */
		if (option->argument[0] != '[')
			fputs(" -r", file);
		write_offer(option->argument, false, file);
	}
	fputs(" -d '", file);
	write_quoted(completion_help(option->help, help), file);
	fputs("'\n", file);
}

static void write_verb(const struct cli_verb *verb, FILE *file)
{
	for (const struct cli_option *option = verb->options;
	     option && option->name; option++)
		write_option(verb, option, file);
	fprintf(file,
		"complete -c thaw -n '__thaw_is %s' -s h -l help -d 'print "
		"help'\n",
		verb->name);
	if (!verb->operand)
		return;
	fprintf(file, "complete -c thaw -n '__thaw_is %s'", verb->name);
	write_offer(verb->operand, true, file);
	fputc('\n', file);
}

/* A verb as a word to offer: the first one, or the second after the first. */
static void write_word(size_t i, FILE *file)
{
	const struct cli_verb *verb = cli_verbs[i];
	int size = (int)completion_noun_size(verb);
	bool has_noun = completion_has_noun(verb);

	if (completion_is_first(i)) {
		fprintf(file, "complete -c thaw -n '__thaw_at 1' -a %.*s -d '",
			size, verb->name);
		write_quoted(has_noun ? "" : verb->summary, file);
		fputs("'\n", file);
	}
	if (!has_noun)
		return;
	fprintf(file, "complete -c thaw -n '__thaw_at 2 %.*s' -a %s -d '", size,
		verb->name, verb->name + size + 1);
	write_quoted(verb->summary, file);
	fputs("'\n", file);
}

void completion_fish(FILE *file)
{
	fputs("# fish completion for thaw, made by `thaw completion fish`\n\n"
	      "# Whether word number $argv[1] is being typed, behind the "
	      "others.\n"
	      "function __thaw_at\n"
	      "\tset -l words (commandline -opc)\n"
	      "\ttest (count $words) -eq $argv[1]\n"
	      "\tand test \"$words[2..]\" = \"$argv[2..]\"\n"
	      "end\n\n"
	      "# Whether the verb is $argv.\n"
	      "function __thaw_is\n"
	      "\tset -l words (commandline -opc)\n"
	      "\tset -l last (math (count $argv) + 1)\n"
	      "\ttest (count $words) -ge $last\n"
	      "\tand test \"$words[2..$last]\" = \"$argv\"\n"
	      "end\n\n"
	      "function __thaw_functions\n"
	      "\tset -l words (commandline -opc)\n"
	      "\t$words[1] functions list -o name 2>/dev/null\n"
	      "\tor $words[1] functions list -o name --admin 2>/dev/null\n"
	      "end\n\n"
	      "function __thaw_verbs\n"
	      "\tprintf '%s\\n'",
	      file);
	for (size_t i = 0; cli_verbs[i]; i++)
		if (completion_is_first(i))
			fprintf(file, " %.*s",
				(int)completion_noun_size(cli_verbs[i]),
				cli_verbs[i]->name);
	fputs("\nend\n\ncomplete -c thaw -f\n", file);
	for (size_t i = 0; cli_verbs[i]; i++)
		write_word(i, file);
	for (size_t i = 0; cli_verbs[i]; i++)
		write_verb(cli_verbs[i], file);
}
