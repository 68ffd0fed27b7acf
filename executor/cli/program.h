/*
 * program.h - a Linux program as a command line names it, for run and serve.
 *
 * It is found as a shell finds it. Arguments that are the paths of regular files are
 * made absolute, without symbolic links, and the program sees those files.
 */
#ifndef EXECUTOR_CLI_PROGRAM_H
#define EXECUTOR_CLI_PROGRAM_H

#include <stddef.h>

#include "executor/limits.h"

/* As env(1), timeout(1) and shells have them. */
enum program_exit {
	PROGRAM_FAILED = 125, /* thaw itself */
	PROGRAM_NOT_EXECUTABLE = 126,
	PROGRAM_NOT_FOUND = 127,
};

/* All strings are on the heap. */
struct program {
	char *path; /* absolute; in the root, if there is one */
	char *root; /* the directory that it has as /, or NULL */
	char name[LIMIT_NAME_MAX + 1]; /* for the function: see program_open() */
	char **arguments;	       /* its name first; NULL-terminated */
	char **files; /* absolute, without symbolic links; NULL-terminated */
	size_t file_count;
};

/*
 * Finds the program that @words, NULL-terminated and not empty, name. The function is
 * called like the first argument that is a file, else like the program. Returns
 * CLI_GO_ON or, after a message that begins with @place, an exit code.
 * program_done() is due either way.
 */
int program_open(const char *place, char *const *words,
		 struct program *ret_program);

/*
 * The same for a program in the directory @root, on the heap, which it takes and which
 * the program has as /: a word without a slash is searched for in its /usr/local/bin,
 * /usr/bin and /bin, and arguments stay as they are.
 */
int program_open_in_root(const char *place, char *root, char *const *words,
			 struct program *ret_program);

/* Has the program see the file or directory @path, too. Results as program_open(). */
int program_add_file(struct program *program, const char *place,
		     const char *path);

void program_done(struct program *program);

/*
 * Makes a function's name of a path: its last part without suffix and without
 * characters that a name may not have; "function" if nothing is left.
 */
void program_make_name(const char *path, char name[static LIMIT_NAME_MAX + 1]);

#endif
