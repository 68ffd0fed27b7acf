/*
 * completion_bash.c - the script for bash: tables made of ours, and a function
 * that reads them. See completion.h.
 */
#include <stdio.h>
#include <string.h>

#include "executor/cli/completion.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

/* How the script calls the kinds. */
static const char *const kinds[] = {
	[COMPLETION_NONE] = "none",	      [COMPLETION_FILE] = "file",
	[COMPLETION_DIRECTORY] = "directory", [COMPLETION_DATA] = "data",
	[COMPLETION_FUNCTION] = "function",   [COMPLETION_VERB] = "verb",
	[COMPLETION_WORDS] = "words",
};

static void write_kind(const char *word, bool is_operand, FILE *file)
{
	enum completion_kind kind = completion_kind(word, is_operand);

	fprintf(file, "'%s", kinds[kind]);
	if (kind == COMPLETION_WORDS) {
		fputc(' ', file);
		completion_words(word, file);
	}
	fputs("'", file);
}

/* "'catalog validate') printf '%s\n' --help ;;" */
static void write_options(FILE *file)
{
	fputs("_thaw_options() {\n\tcase $1 in\n", file);
	for (size_t i = 0; cli_verbs[i]; i++) {
		const struct cli_verb *verb = cli_verbs[i];

		fprintf(file, "\t'%s') printf '%%s\\n' --help", verb->name);
		for (const struct cli_option *option = verb->options;
		     option && option->name; option++)
			fprintf(file, " --%s", option->name);
		fputs(" ;;\n", file);
	}
	fputs("\tesac\n}\n\n", file);
}

/* What stands behind an option, or, without one, as operand. */
static void write_arguments(FILE *file)
{
	fputs("_thaw_kind() {\n\tcase $1:$2 in\n", file);
	for (size_t i = 0; cli_verbs[i]; i++) {
		const struct cli_verb *verb = cli_verbs[i];

		fprintf(file, "\t'%s':) echo ", verb->name);
		write_kind(verb->operand, true, file);
		fputs(" ;;\n", file);
		for (const struct cli_option *option = verb->options;
		     option && option->name; option++) {
			if (!option->argument)
				continue;
			fprintf(file, "\t'%s':--%s", verb->name, option->name);
			if (option->letter)
				fprintf(file, " | '%s':-%c", verb->name,
					option->letter);
			fprintf(file, ") echo %s",
				option->argument[0] == '[' ? "maybe-" : "");
			write_kind(option->argument, false, file);
			fputs(" ;;\n", file);
		}
	}
	fputs("\tesac\n}\n\n", file);
}

static void write_second_words(const struct cli_verb *first, FILE *file)
{
	size_t size = completion_noun_size(first);

	fprintf(file, "\t%.*s) printf '%%s\\n'", (int)size, first->name);
	for (size_t i = 0; cli_verbs[i]; i++)
		if (!strncmp(cli_verbs[i]->name, first->name, size + 1))
			fprintf(file, " %s", cli_verbs[i]->name + size + 1);
	fputs(" ;;\n", file);
}

/* First words, and second words by the first. */
static void write_verbs(FILE *file)
{
	fputs("_thaw_verbs() {\n\tcase $1 in\n\t'') printf '%s\\n' --help "
	      "--version",
	      file);
	for (size_t i = 0; cli_verbs[i]; i++)
		if (completion_is_first(i))
			fprintf(file, " %.*s",
				(int)completion_noun_size(cli_verbs[i]),
				cli_verbs[i]->name);
	fputs(" ;;\n", file);
	for (size_t i = 0; cli_verbs[i]; i++)
		if (completion_has_noun(cli_verbs[i]) && completion_is_first(i))
			write_second_words(cli_verbs[i], file);
	fputs("\tesac\n}\n\n", file);
}

static const char script[] =
	"# COMPREPLY: those lines of standard input that begin with $1.\n"
	"_thaw_offer() {\n"
	"\tlocal line\n"
	"\n"
	"\twhile IFS= read -r line; do\n"
	"\t\t[[ $line == \"$1\"* ]] && COMPREPLY+=(\"$line\")\n"
	"\tdone\n"
	"}\n"
	"\n"
	"# The functions of the catalog that $2... name, else of a server.\n"
	"_thaw_functions() {\n"
	"\tlocal program=$1\n"
	"\n"
	"\tshift\n"
	"\t\"$program\" functions list -o name \"$@\" 2>/dev/null ||\n"
	"\t\t\"$program\" functions list -o name --admin 2>/dev/null\n"
	"}\n"
	"\n"
	"_thaw_complete() {\n"
	"\tlocal program=$1 kind=$2 cur=$3\n"
	"\n"
	"\tshift 3\n"
	"\tcase $kind in\n"
	"\tfile)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"\t\t;;\n"
	"\tdirectory)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
	"\t\t;;\n"
	"\tfunction) _thaw_offer \"$cur\" < <(_thaw_functions \"$program\" "
	"\"$@\") ;;\n"
	"\tverb) _thaw_offer \"$cur\" < <(_thaw_verbs '') ;;\n"
	"\t'words '*)\n"
	"\t\t# the words are ours: without blanks, nothing to expand\n"
	"\t\t# shellcheck disable=SC2086\n"
	"\t\t_thaw_offer \"$cur\" < <(printf '%s\\n' ${kind#words })\n"
	"\t\t;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"_thaw() {\n"
	"\tlocal program=$1 verb=${COMP_WORDS[1]} cur=$2 prev=$3 kind i\n"
	"\tlocal first=2 catalog=()\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\t# bash takes \"=\" and \"@\" for words of their own\n"
	"\tcase $cur in = | @) prev=$cur cur= ;; esac\n"
	"\tif ((COMP_CWORD == 1)); then\n"
	"\t\t_thaw_offer \"$cur\" < <(_thaw_verbs '')\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tif [[ -n $(_thaw_verbs \"$verb\") ]]; then\n"
	"\t\tif ((COMP_CWORD == 2)); then\n"
	"\t\t\t_thaw_offer \"$cur\" < <(_thaw_verbs \"$verb\")\n"
	"\t\t\treturn\n"
	"\t\tfi\n"
	"\t\tverb+=\" ${COMP_WORDS[2]}\" first=3\n"
	"\tfi\n"
	"\tfor ((i = first; i < COMP_CWORD; i++)); do\n"
	"\t\tcase ${COMP_WORDS[i]} in\n"
	"\t\t-c | --catalog)\n"
	"\t\t\t[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
	"\t\t\tcatalog=(-c \"${COMP_WORDS[i + 1]}\")\n"
	"\t\t\t;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tif [[ $prev == = ]]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"\t\t[[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\telif [[ $prev == @ ]]; then\n"
	"\t\t_thaw_complete \"$program\" file \"$cur\"\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tkind=\n"
	"\t[[ $prev == -* ]] && kind=$(_thaw_kind \"$verb\" \"$prev\")\n"
	"\tcase $kind in\n"
	"\t'' | maybe-*)\n"
	"\t\tif [[ $cur == -* ]]; then\n"
	"\t\t\t_thaw_offer \"$cur\" < <(_thaw_options \"$verb\")\n"
	"\t\t\treturn\n"
	"\t\tfi\n"
	"\t\t[[ -n $kind && $cur == */* ]] ||\n"
	"\t\t\tkind=$(_thaw_kind \"$verb\" '')\n"
	"\t\t;;\n"
	"\tesac\n"
	"\t_thaw_complete \"$program\" \"${kind#maybe-}\" \"$cur\" "
	"\"${catalog[@]}\"\n"
	"}\n"
	"\n"
	"complete -F _thaw thaw\n";

void completion_bash(FILE *file)
{
	fputs("# bash completion for thaw, made by `thaw completion bash`\n\n",
	      file);
	write_verbs(file);
	write_options(file);
	write_arguments(file);
	fputs(script, file);
}
