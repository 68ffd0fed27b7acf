/* help.h - help about the verbs as a whole. */
#ifndef EXECUTOR_CLI_HELP_H
#define EXECUTOR_CLI_HELP_H

#include <stdio.h>

/* Prints how to call thaw, and the list of verbs. */
void help_print_all(FILE *file);

/* Prints the verbs of @noun. */
void help_print_noun(const char *noun, FILE *file);

/*
 * Prints that @typed is no verb, and which verb is most like it. A single word
 * is compared with first words, two words with whole names. Returns CLI_USAGE.
 */
int help_no_verb(const char *typed);

#endif
