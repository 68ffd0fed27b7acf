/* catalog_host.h - what a catalog allows a function to ask of the host. */
#ifndef EXECUTOR_CATALOG_HOST_H
#define EXECUTOR_CATALOG_HOST_H

#include <stddef.h>

/* One member of host.config. */
struct catalog_config {
	char *name;
	char *json; /* its value */
};

struct catalog_host {
	char **allow; /* names of host functions, or "invoke:FUNCTION" */
	size_t allow_count;
	struct catalog_config *config;
	size_t config_count;
	size_t max_size; /* bytes of arguments, or of a result */
};

/* The JSON of the member @name of host.config, or NULL. */
const char *catalog_host_config(const struct catalog_host *host,
				const char *name);

#endif
