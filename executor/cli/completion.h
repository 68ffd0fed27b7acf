/*
 * completion.h - scripts that complete command lines in shells, made of the
 * verbs' own tables. `thaw completion` prints them.
 */
#ifndef EXECUTOR_CLI_COMPLETION_H
#define EXECUTOR_CLI_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "executor/cli/options.h"

/* What the word for an argument or operand stands for; see cli.h. */
enum completion_kind {
	COMPLETION_NONE, /* nothing that can be offered */
	COMPLETION_FILE,
	COMPLETION_DIRECTORY,
	COMPLETION_DATA, /* "@FILE" */
	COMPLETION_FUNCTION,
	COMPLETION_VERB,
	COMPLETION_WORDS, /* see completion_words() */
};

/* @word may be NULL. Only an operand "NAME" is a function's. */
enum completion_kind completion_kind(const char *word, bool is_operand);

/* Prints the words of "a|b|c", brackets or not, as "a b c". */
void completion_words(const char *alternatives, FILE *file);

/* The first sentence or so of an option's help, in one line. */
#define COMPLETION_HELP_MAX 256
char *completion_help(const char *help, char text[static COMPLETION_HELP_MAX]);

/* Whether @verb is the first of those that begin with its first word. */
bool completion_is_first(size_t verb);

/* Bytes of the verb's first word; whether it has a second one. */
size_t completion_noun_size(const struct cli_verb *verb);
bool completion_has_noun(const struct cli_verb *verb);

void completion_bash(FILE *file);
void completion_zsh(FILE *file);
void completion_fish(FILE *file);

#endif
