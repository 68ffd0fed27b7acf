/* catalog_host.h - what a catalog allows a function to ask of the host. Any thread. */
#ifndef EXECUTOR_CATALOG_HOST_H
#define EXECUTOR_CATALOG_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* The host function that calls another function of the catalog. */
#define CATALOG_HOST_INVOKE "invoke"
/* An entry of `allow` that begins so allows that, of the function named behind it. */
#define CATALOG_HOST_INVOKE_PREFIX CATALOG_HOST_INVOKE ":"

/* One member of host.config. */
struct catalog_config {
	char *name;
	char *json; /* its value, compact */
	char *text; /* if that is a string: without quotes and escapes; else NULL */
};

/*
 * One member of host.secrets. Unlike all else that shapes a function, it is part of no
 * snapshot and of no key of one.
 */
struct catalog_secret {
	char *name;
	char *file;  /* that it is in, resolved */
	char *value; /* its bytes when the catalog was read */
	size_t size;
};

/* The catalog's "host"; it owns the lists and their strings. */
struct catalog_host {
	char **allow; /* names of host functions, or "invoke:FUNCTION" */
	size_t allow_count;
	struct catalog_config *config; /* sorted by name */
	size_t config_count;
	struct catalog_secret *secrets; /* sorted by name */
	size_t secret_count;
	size_t max_size; /* bytes of arguments, or of a result */
};

/* Frees the lists, which may be half-read. */
void catalog_host_done(struct catalog_host *host);

/* Whether @a and @b are equal in every member. */
bool catalog_host_equal(const struct catalog_host *a,
			const struct catalog_host *b);

/*
 * Whether host.allow lists the host function @name. "invoke" is listed if it is, or if
 * an entry "invoke:FUNCTION" is.
 */
bool catalog_host_allows(const struct catalog_host *host, const char *name);

/* Whether it lists "invoke", or "invoke:FUNCTION" for this @function. */
bool catalog_host_allows_invoke(const struct catalog_host *host,
				const char *function);

/*
 * The value of the member @name of host.config: a string as it is, anything else as
 * JSON. NULL: there is none. Lives as long as @host.
 */
const char *catalog_host_config(const struct catalog_host *host,
				const char *name);

/* The member @name of host.secrets, or NULL. Lives as long as @host. */
const struct catalog_secret *
catalog_host_secret(const struct catalog_host *host, const char *name);

/*
 * Bytes of guest memory that the answers of host functions need; 0: it may call none.
 */
size_t catalog_host_result_size(const struct catalog_host *host);

#endif
