/* catalog_host.c - see catalog_host.h. */
#include "executor/catalog_host.h"

#include <stdlib.h>
#include <string.h>

#include "guest/abi/thaw_abi.h"

void catalog_host_done(struct catalog_host *host)
{
	for (size_t i = 0; i < host->allow_count; i++)
		free(host->allow[i]);
	for (size_t i = 0; i < host->config_count; i++) {
		free(host->config[i].name);
		free(host->config[i].json);
		free(host->config[i].text);
	}
	for (size_t i = 0; i < host->secret_count; i++) {
		struct catalog_secret *secret = &host->secrets[i];

		if (secret->value)
			explicit_bzero(secret->value, secret->size);
		free(secret->name);
		free(secret->file);
		free(secret->value);
	}
	free(host->allow);
	free(host->config);
	free(host->secrets);
}

static bool secrets_equal(const struct catalog_host *a,
			  const struct catalog_host *b)
{
	if (a->secret_count != b->secret_count)
		return false;
	for (size_t i = 0; i < a->secret_count; i++) {
		const struct catalog_secret *one = &a->secrets[i];
		const struct catalog_secret *other = &b->secrets[i];

		if (strcmp(one->name, other->name) != 0 ||
		    strcmp(one->file, other->file) != 0 ||
		    one->size != other->size ||
		    (one->size &&
		     memcmp(one->value, other->value, one->size) != 0))
			return false;
	}
	return true;
}

bool catalog_host_equal(const struct catalog_host *a,
			const struct catalog_host *b)
{
	if (a->allow_count != b->allow_count ||
	    a->config_count != b->config_count || a->max_size != b->max_size)
		return false;
	for (size_t i = 0; i < a->allow_count; i++)
		if (strcmp(a->allow[i], b->allow[i]) != 0)
			return false;
	for (size_t i = 0; i < a->config_count; i++)
		if (strcmp(a->config[i].name, b->config[i].name) != 0 ||
		    strcmp(a->config[i].json, b->config[i].json) != 0)
			return false;
	return secrets_equal(a, b);
}

static bool lists(const struct catalog_host *host, const char *entry)
{
	for (size_t i = 0; i < host->allow_count; i++)
		if (!strcmp(host->allow[i], entry))
			return true;
	return false;
}

/* Whether an entry is "invoke:FUNCTION"; of any function if that is NULL. */
static bool lists_invoke(const struct catalog_host *host, const char *function)
{
	const size_t size = strlen(CATALOG_HOST_INVOKE_PREFIX);

	for (size_t i = 0; i < host->allow_count; i++)
		if (!strncmp(host->allow[i], CATALOG_HOST_INVOKE_PREFIX,
			     size) &&
		    (!function || !strcmp(host->allow[i] + size, function)))
			return true;
	return false;
}

bool catalog_host_allows(const struct catalog_host *host, const char *name)
{
	return lists(host, name) ||
	       (!strcmp(name, CATALOG_HOST_INVOKE) && lists_invoke(host, NULL));
}

bool catalog_host_allows_invoke(const struct catalog_host *host,
				const char *function)
{
	return lists(host, CATALOG_HOST_INVOKE) || lists_invoke(host, function);
}

static int compare_name(const void *name, const void *config)
{
	return strcmp(name, ((const struct catalog_config *)config)->name);
}

const char *catalog_host_config(const struct catalog_host *host,
				const char *name)
{
	const struct catalog_config *found =
		host->config_count ?
			bsearch(name, host->config, host->config_count,
				sizeof(*host->config), compare_name) :
			NULL;

	if (!found)
		return NULL;
	return found->text ? found->text : found->json;
}

static int compare_secret_name(const void *name, const void *secret)
{
	return strcmp(name, ((const struct catalog_secret *)secret)->name);
}

const struct catalog_secret *
catalog_host_secret(const struct catalog_host *host, const char *name)
{
	return host->secret_count ?
		       bsearch(name, host->secrets, host->secret_count,
			       sizeof(*host->secrets), compare_secret_name) :
		       NULL;
}

size_t catalog_host_result_size(const struct catalog_host *host)
{
	return host->allow_count ?
		       sizeof(struct thaw_host_answer) + host->max_size :
		       0;
}
