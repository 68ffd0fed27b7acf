/*
 * completion.h - finds what completes a command line, in the tables of verbs.
 */
#ifndef EXECUTOR_CLI_COMPLETION_H
#define EXECUTOR_CLI_COMPLETION_H

#include <stddef.h>

/*
 * Prints what can complete the last of @count words on standard output; the
 * words are those after the program's name, and the last may be empty. The first
 * line says what to offer behind the first N characters of that word:
 *
 *	:words N	the words on the other lines; a tab and help may follow
 *	:files N	the names of files
 *	:directories N	the names of directories
 *
 * Nothing is printed if there is nothing to offer. Words are not sorted out by
 * what the last word begins with. Names of functions are those of the catalog
 * that the command line names, else of a running server; if there is neither,
 * standard error says why.
 */
void completion_print(char *const *words, size_t count);

#endif
