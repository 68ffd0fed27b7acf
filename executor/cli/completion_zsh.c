/*
 * completion_zsh.c - the script for zsh: a call of _arguments for each verb.
 * See completion.h.
 */
#include <stdio.h>
#include <string.h>

#include "executor/cli/completion.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

/* Inside '...', where _arguments has uses of its own for some characters. */
static void write_quoted(const char *text, FILE *file)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\'", file);
		else if (strchr("[]:\\", *text))
			fputc('\\', file);
		fputc(*text, file);
	}
}

/* ":WORD:ACTION" */
static void write_action(const char *word, bool is_operand, FILE *file)
{
	static const char *const actions[] = {
		[COMPLETION_NONE] = " ",
		[COMPLETION_FILE] = "_files",
		[COMPLETION_DIRECTORY] = "_files -/",
		[COMPLETION_DATA] = "_thaw_data",
		[COMPLETION_FUNCTION] = "_thaw_functions",
		[COMPLETION_VERB] = "_thaw_verbs",
	};
	enum completion_kind kind = completion_kind(word, is_operand);

	fputc(':', file);
	if (kind != COMPLETION_WORDS) {
		write_quoted(word, file);
		fprintf(file, ":%s", actions[kind]);
		return;
	}
	fputs("word:(", file);
	completion_words(word, file);
	fputc(')', file);
}

/* '(-c --catalog)'{-c+,--catalog=}'[the catalog]:FILE:_files' */
static void write_option(const struct cli_option *option, FILE *file)
{
	char help[COMPLETION_HELP_MAX];
	bool has = option->argument;

	fputs(" \\\n\t\t\t", file);
	if (option->letter)
		fprintf(file, "'*'{-%c%s,--%s%s}'[", option->letter,
			has ? "+" : "", option->name, has ? "=" : "");
	else
		fprintf(file, "'*--%s%s[", option->name, has ? "=" : "");
	write_quoted(completion_help(option->help, help), file);
	fputc(']', file);
	if (has && option->argument[0] == '[')
		fputc(':', file);
	if (has)
		write_action(option->argument, false, file);
	fputc('\'', file);
}

static void write_verb(const struct cli_verb *verb, FILE *file)
{
	fprintf(file, "\t'%s')\n\t\t_arguments '--help[print help]'",
		verb->name);
	for (const struct cli_option *option = verb->options;
	     option && option->name; option++)
		write_option(option, file);
	if (verb->operand) {
		fputs(" \\\n\t\t\t'1", file);
		write_action(verb->operand, true, file);
		fputc('\'', file);
	}
	fputs("\n\t\t;;\n", file);
}

/* 'WORD:text' for _describe: of first words, or second ones of @noun. */
static void write_words(const char *noun, FILE *file)
{
	size_t skip = noun ? strlen(noun) + 1 : 0;

	for (size_t i = 0; cli_verbs[i]; i++) {
		const struct cli_verb *verb = cli_verbs[i];
		size_t size = noun ? strlen(verb->name) :
				     completion_noun_size(verb);
		bool is_more = !noun && completion_has_noun(verb);

		if (noun ? strncmp(verb->name, noun, skip - 1) != 0 ||
				    verb->name[skip - 1] != ' ' :
			   !completion_is_first(i))
			continue;
		fprintf(file, "\t\t'%.*s:", (int)(size - skip),
			verb->name + skip);
		write_quoted(is_more ? "its verbs are the next word" :
				       verb->summary,
			     file);
		fputs("'\n", file);
	}
}

/* Nouns: their second word is shifted away like the first. */
static void write_nouns(FILE *file)
{
	for (size_t i = 0; cli_verbs[i]; i++) {
		const char *name = cli_verbs[i]->name;
		char noun[64];

		if (!completion_has_noun(cli_verbs[i]) ||
		    !completion_is_first(i))
			continue;
		snprintf(noun, sizeof(noun), "%.*s",
			 (int)completion_noun_size(cli_verbs[i]), name);
		fprintf(file, "\t%s)\n\t\tseconds=(\n", noun);
		write_words(noun, file);
		fputs("\t\t)\n\t\t;;\n", file);
	}
}

void completion_zsh(FILE *file)
{
	fputs("#compdef thaw\n"
	      "# zsh completion for thaw, made by `thaw completion zsh`\n\n"
	      "_thaw_verbs() {\n\tlocal -a verbs=(\n",
	      file);
	write_words(NULL, file);
	fputs("\t)\n\t_describe verb verbs\n}\n\n"
	      "_thaw_data() {\n\tcompset -P @ && _files\n}\n\n"
	      "_thaw_functions() {\n"
	      "\tlocal -a names\n"
	      "\tlocal -a catalog=(${opt_args[-c]:+-c} ${opt_args[-c]})\n"
	      "\n"
	      "\t[[ -z $catalog && -n ${opt_args[--catalog]} ]] &&\n"
	      "\t\tcatalog=(-c ${opt_args[--catalog]})\n"
	      "\tnames=(${(f)\"$($_thaw_program functions list -o name "
	      "$catalog 2>/dev/null ||\n"
	      "\t\t$_thaw_program functions list -o name --admin "
	      "2>/dev/null)\"})\n"
	      "\tcompadd -a names\n}\n\n"
	      "_thaw() {\n"
	      "\tlocal _thaw_program=$words[1] verb=$words[2]\n"
	      "\tlocal -a seconds\n\n"
	      "\tif ((CURRENT == 2)); then\n"
	      "\t\t_thaw_verbs\n\t\treturn\n\tfi\n"
	      "\tshift words\n\t((CURRENT--))\n"
	      "\tcase $verb in\n",
	      file);
	write_nouns(file);
	fputs("\tesac\n"
	      "\tif (($#seconds)); then\n"
	      "\t\tif ((CURRENT == 2)); then\n"
	      "\t\t\t_describe verb seconds\n\t\t\treturn\n\t\tfi\n"
	      "\t\tverb+=\" $words[2]\"\n"
	      "\t\tshift words\n\t\t((CURRENT--))\n"
	      "\tfi\n"
	      "\tcase $verb in\n",
	      file);
	for (size_t i = 0; cli_verbs[i]; i++)
		write_verb(cli_verbs[i], file);
	fputs("\tesac\n}\n\n"
	      "if [[ $funcstack[1] == _thaw ]]; then\n\t_thaw \"$@\"\n"
	      "else\n\tcompdef _thaw thaw\nfi\n",
	      file);
}
