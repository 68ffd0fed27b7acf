/* catalog_host.c - see catalog_host.h. */
#include "executor/catalog_host.h"

#include <string.h>

const char *catalog_host_config(const struct catalog_host *host,
				const char *name)
{
	for (size_t i = 0; i < host->config_count; i++)
		if (!strcmp(host->config[i].name, name))
			return host->config[i].json;
	return NULL;
}
