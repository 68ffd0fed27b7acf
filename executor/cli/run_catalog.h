/* run_catalog.h - writes the catalog of one function that `thaw run` needs. */
#ifndef EXECUTOR_CLI_RUN_CATALOG_H
#define EXECUTOR_CLI_RUN_CATALOG_H

#include <stddef.h>

/* Most variables that --env may set. */
#define RUN_ENVIRONMENT_MAX 256

/* NULL: the catalog's default. */
struct run_function {
	const char *name;
	const char *image; /* absolute */
	const char *entry;
	const char *memory;
	const char *timeout;
	const char *init_timeout;
	const char *max_request;
	const char *max_reply;
	const char *environment[RUN_ENVIRONMENT_MAX]; /* "NAME=VALUE" */
	size_t environment_count;
};

/*
 * Returns the catalog's text, zero-terminated, which the caller frees; NULL if
 * there is no memory or a string is not UTF-8. Does not judge values: whoever
 * reads the catalog does.
 */
char *run_catalog_text(const struct run_function *function);

#endif
