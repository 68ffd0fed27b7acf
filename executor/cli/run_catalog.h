/*
 * run_catalog.h - writes the catalogs of functions that a command line gives: one for
 * `thaw run`, any number for `thaw serve --program`.
 */
#ifndef EXECUTOR_CLI_RUN_CATALOG_H
#define EXECUTOR_CLI_RUN_CATALOG_H

#include <stddef.h>

#include "executor/limits.h"
#include "executor/linux/gunyah_state.h"

/* Most variables that --env may set. */
#define RUN_ENVIRONMENT_MAX 256

/* What options say of functions; run_settings.h has them. NULL: the default. */
struct run_settings {
	const char *memory;
	const char *timeout;
	const char *init_timeout;
	const char *max_request;
	const char *max_reply;
	const char *environment[RUN_ENVIRONMENT_MAX]; /* "NAME=VALUE" */
	size_t environment_count;
	/* of programs, as they were given */
	const char *root;
	const char *files[LIMIT_FILES_MAX];
	size_t file_count;
	const char *devices;
	/* "LINE@TIME", and NULL */
	const char *interrupts[GUNYAH_INTERRUPTS_MAX + 1];
	size_t interrupt_count;
};

/* NULL: the catalog's default. */
struct run_function {
	const char *name;
	const char *image; /* absolute; NULL: it is a program */
	const char *entry;
	/* of a program, as in struct program */
	const char *program;
	const char *root;
	char *const *arguments;
	char *const *files;
	const struct run_settings *settings; /* may be of several functions */
};

/* What programs have by default. Interpreters need more than the catalog's default. */
#define RUN_PROGRAM_MEMORY "256MiB"
#define RUN_PROGRAM_STACK "8MiB"
#define RUN_PROGRAM_SIZE "4MiB" /* of a request, and of a reply */
#define RUN_PROGRAM_TIMEOUT "1m"

/*
 * Returns the text of a catalog of @count functions, zero-terminated, which the caller
 * frees; NULL if there is no memory or a string is not UTF-8. Does not judge values:
 * whoever reads the catalog does.
 */
char *run_catalog_text(const struct run_function *functions, size_t count);

#endif
