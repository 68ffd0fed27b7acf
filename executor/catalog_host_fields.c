/* catalog_host_fields.c - see catalog_host_fields.h; any thread. */
#include "executor/catalog_host_fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/similar.h"
#include "executor/catalog_function.h"
#include "executor/limits.h"
#include "executor/request_file.h"
#include "vm/image/declarations.h"

/* A host function's name, without its terminating zero. */
#define HOST_NAME_MAX ((int)sizeof(((struct declaration *)0)->name) - 1)

#define QUOTE(value) json_reader_quote(value, (char[JSON_QUOTE_MAX]){ 0 })

static struct catalog_host *host_of(void *target)
{
	return &((struct catalog_function *)target)->host;
}

/* The function that an entry allows to invoke, or NULL. */
static const char *invoked_name(const char *entry)
{
	const size_t size = strlen(CATALOG_HOST_INVOKE_PREFIX);

	return strncmp(entry, CATALOG_HOST_INVOKE_PREFIX, size) ? NULL :
								  entry + size;
}

static bool is_entry(const char *entry)
{
	if (!entry)
		return false;
	return invoked_name(entry) ||
	       (strlen(entry) <= HOST_NAME_MAX && declaration_is_name(entry));
}

static int read_entry(const struct json_place *place, json_t *value,
		      struct catalog_host *host)
{
	const char *entry = json_string_value(value);
	char *copy;

	if (!is_entry(entry))
		return json_reader_refuse(
			place,
			"%s is not a host function's name: write up to %d of "
			"A-Z a-z 0-9 _, and no digit first, or "
			"\"invoke:FUNCTION\"",
			QUOTE(value), HOST_NAME_MAX);
	for (size_t i = 0; i < host->allow_count; i++)
		if (!strcmp(host->allow[i], entry))
			return json_reader_refuse(place, "%s is listed already",
						  QUOTE(value));
	copy = strdup(entry);
	if (!copy)
		return json_reader_no_memory(place);
	host->allow[host->allow_count++] = copy;
	return 0;
}

/* For a list with a mistake: an entry is at its place, or not there. */
static void drop_entries(struct catalog_host *host)
{
	while (host->allow_count)
		free(host->allow[--host->allow_count]);
}

int catalog_host_read_allow(const struct json_place *place, json_t *value,
			    const struct json_field *field, void *target)
{
	struct catalog_host *host = host_of(target);
	int result = 0;

	(void)field;
	if (!json_is_array(value))
		return json_reader_refuse(place,
					  "%s is not an array: write [\"NAME\", "
					  "\"invoke:FUNCTION\"]",
					  QUOTE(value));
	if (json_array_size(value) > LIMIT_HOST_ALLOW_MAX)
		return json_reader_refuse(place, "%zu entries: the most is %d",
					  json_array_size(value),
					  LIMIT_HOST_ALLOW_MAX);
	host->allow = calloc(json_array_size(value) + 1, sizeof(*host->allow));
	if (!host->allow)
		return json_reader_no_memory(place);
	for (size_t i = 0; i < json_array_size(value); i++) {
		struct json_place here = json_place_element(place, i);
		int r = read_entry(&here, json_array_get(value, i), host);

		if (json_reader_ends(place, r, &result))
			return r;
	}
	if (result)
		drop_entries(host);
	return result;
}

static int compare_config(const void *a, const void *b)
{
	const struct catalog_config *one = a, *other = b;

	return strcmp(one->name, other->name);
}

/* Copies the members. *@ret_bytes is the size of their names and values. */
static int copy_config(const struct json_place *place, json_t *value,
		       struct catalog_host *host, size_t *ret_bytes)
{
	const char *name;
	json_t *member;

	*ret_bytes = 0;
	host->config =
		calloc(json_object_size(value) + 1, sizeof(*host->config));
	if (!host->config)
		return json_reader_no_memory(place);
	json_object_foreach(value, name, member)
	{
		struct catalog_config *config =
			&host->config[host->config_count++];

		config->name = strdup(name);
		config->json =
			json_dumps(member, JSON_ENCODE_ANY | JSON_COMPACT);
		if (json_is_string(member))
			config->text = strdup(json_string_value(member));
		if (!config->name || !config->json ||
		    (json_is_string(member) && !config->text))
			return json_reader_no_memory(place);
		*ret_bytes += strlen(config->name) + strlen(config->json);
	}
	qsort(host->config, host->config_count, sizeof(*host->config),
	      compare_config);
	return 0;
}

int catalog_host_read_config(const struct json_place *place, json_t *value,
			     const struct json_field *field, void *target)
{
	size_t bytes;
	int r;

	(void)field;
	if (!json_is_object(value))
		return json_reader_refuse(
			place, "%s is not an object: write {\"NAME\": VALUE}",
			QUOTE(value));
	r = copy_config(place, value, host_of(target), &bytes);
	if (!r && bytes > LIMIT_HOST_CONFIG_MAX)
		return json_reader_refuse(
			place,
			"%zu bytes of names and values, without spaces: the "
			"most is %d",
			bytes, LIMIT_HOST_CONFIG_MAX);
	return r;
}

static int compare_secrets(const void *a, const void *b)
{
	const struct catalog_secret *one = a, *other = b;

	return strcmp(one->name, other->name);
}

static int read_secret(const struct json_place *place, const char *name,
		       json_t *value, struct catalog_host *host)
{
	const char *file = json_string_value(value);
	struct catalog_secret *secret = &host->secrets[host->secret_count];

	if (!file || !*file)
		return json_reader_refuse(
			place,
			"%s is not a file's path: write \"NAME\": "
			"\"PATH\"",
			QUOTE(value));
	secret->name = strdup(name);
	secret->file = strdup(file);
	host->secret_count++;
	return secret->name && secret->file ? 0 : json_reader_no_memory(place);
}

int catalog_host_read_secrets(const struct json_place *place, json_t *value,
			      const struct json_field *field, void *target)
{
	struct catalog_host *host = host_of(target);
	const char *name;
	json_t *member;
	int result = 0;

	(void)field;
	if (!json_is_object(value))
		return json_reader_refuse(
			place,
			"%s is not an object: write {\"NAME\": \"PATH\"}",
			QUOTE(value));
	if (json_object_size(value) > LIMIT_HOST_SECRETS_MAX)
		return json_reader_refuse(place, "%zu secrets: the most is %d",
					  json_object_size(value),
					  LIMIT_HOST_SECRETS_MAX);
	host->secrets =
		calloc(json_object_size(value) + 1, sizeof(*host->secrets));
	if (!host->secrets)
		return json_reader_no_memory(place);
	json_object_foreach(value, name, member)
	{
		struct json_place here = json_place_member(place, name);
		int r = read_secret(&here, name, member, host);

		if (json_reader_ends(place, r, &result))
			return r;
	}
	qsort(host->secrets, host->secret_count, sizeof(*host->secrets),
	      compare_secrets);
	return result;
}

int catalog_host_read_secret_files(const struct json_place *place,
				   struct catalog_function *function)
{
	const struct json_place object = json_place_member(place, "host");
	const struct json_place secrets = json_place_member(&object, "secrets");
	struct catalog_host *host = &function->host;
	struct error err;
	int result = 0;

	for (size_t i = 0; i < host->secret_count; i++) {
		struct catalog_secret *secret = &host->secrets[i];
		const struct json_place here =
			json_place_member(&secrets, secret->name);
		int r = request_file_read(secret->file, LIMIT_HOST_SECRET_MAX,
					  "the most", &err, &secret->value,
					  &secret->size);

		if (r)
			r = json_reader_refuse(&here, "%s", err.message);
		if (json_reader_ends(place, r, &result))
			return r;
	}
	return result;
}

/* All functions of a catalog that have a name. */
struct names {
	const struct catalog_function **list; /* sorted */
	size_t count;
};

static int compare_to_name(const void *name, const void *element)
{
	const struct catalog_function *function =
		*(const struct catalog_function *const *)element;

	return strcmp(name, function->name);
}

static int check_invoke(const struct json_place *place,
			const struct names *names, const char *name)
{
	struct similar similar = similar_to(name);

	if (names->count && bsearch(name, names->list, names->count,
				    sizeof(*names->list), compare_to_name))
		return 0;
	for (size_t i = 0; i < names->count; i++)
		similar_try(&similar, names->list[i]->name,
			    strlen(names->list[i]->name));
	if (similar.name)
		return json_reader_refuse(place,
					  "the catalog has no function "
					  "\"%.*s\": did you mean \"%s\"?",
					  LIMIT_NAME_MAX, name, similar.name);
	return json_reader_refuse(place, "the catalog has no function \"%.*s\"",
				  LIMIT_NAME_MAX, name);
}

/* Of one function, which is at @place. */
static int check_invokes_of(const struct json_place *place,
			    const struct names *names,
			    const struct catalog_host *host)
{
	const struct json_place object = json_place_member(place, "host");
	const struct json_place allow = json_place_member(&object, "allow");
	int result = 0;

	for (size_t i = 0; i < host->allow_count; i++) {
		const struct json_place here = json_place_element(&allow, i);
		const char *name = invoked_name(host->allow[i]);
		int r = name ? check_invoke(&here, names, name) : 0;

		if (json_reader_ends(place, r, &result))
			return r;
	}
	return result;
}

int catalog_host_check_invokes(const struct json_place *place,
			       const struct catalog_function *functions,
			       const struct catalog_function **by_name,
			       size_t count)
{
	struct names names = { .list = by_name };
	int result = 0;

	while (names.count < count && by_name[names.count])
		names.count++;
	for (size_t i = 0; i < count; i++) {
		const struct json_place here = json_place_element(place, i);
		int r = check_invokes_of(&here, &names, &functions[i].host);

		if (json_reader_ends(place, r, &result))
			return r;
	}
	return result;
}
