/* catalog_base.c - see catalog_base.h */
#include "executor/catalog_base.h"

#include <jansson.h>

#include "executor/catalog_fields.h"
#include "executor/catalog_function.h"
#include "executor/request_file.h"

/* What a function has of its base, whose guest is made with it. */
static const char *const base_keys[] = {
	"image",       "environment", "host",	  "memory",    "stack",
	"max_request", "max_reply",   "dispatch", "isolation",
};
#define BASE_KEYS (sizeof(base_keys) / sizeof(*base_keys))

/* Finds the function called @name in the array @functions. NULL: there is none. */
static json_t *find_by_name(json_t **by_name, const json_t *functions,
			    const char *name)
{
	size_t i;
	json_t *function;

	if (!*by_name) {
		*by_name = json_object();
		json_array_foreach(functions, i, function)
		{
			const char *its = json_string_value(
				json_object_get(function, "name"));

			if (its)
				json_object_set(*by_name, its, function);
		}
	}
	return json_object_get(*by_name, name);
}

static int check_base(const struct json_place *place, const json_t *value,
		      const char *name, const json_t *base)
{
	const struct json_place here = json_place_member(place, "base");
	int result = 0, r;

	if (!base)
		return json_reader_refuse(&here,
					  "no function \"%s\" in this catalog",
					  name);
	if (json_object_get(base, "base"))
		return json_reader_refuse(&here,
					  "\"%s\" has a base itself: name that",
					  name);
	if (json_object_get(base, "program"))
		return json_reader_refuse(
			&here,
			"\"%s\" is of kind \"linux\": accepted is \"native\"",
			name);
	for (size_t i = 0; i < BASE_KEYS; i++) {
		const struct json_place key =
			json_place_member(place, base_keys[i]);

		r = json_object_get(value, base_keys[i]) ?
			    json_reader_refuse(&key,
					       "is that of the base: leave it "
					       "out") :
			    0;
		if (json_reader_ends(place, r, &result))
			return r;
	}
	return result;
}

/* Reads what @function, which has all defaults, needs to know of @base besides. */
static int read_timeout(const struct json_place *place, const json_t *base,
			struct catalog_function *function)
{
	json_t *value = json_object_get(base, "init_timeout");
	struct catalog_function as_base = *function;
	json_auto_t *alone = json_object();
	int r;

	if (!alone || (value && json_object_set(alone, "init_timeout", value)))
		return json_reader_no_memory(place);
	r = json_reader_object(place, alone, catalog_default_fields, &as_base);
	function->base_init_timeout_ns = as_base.init_timeout_ns;
	return r;
}

int catalog_base_take(const struct json_place *place, json_t **by_name,
		      const json_t *functions, json_t **value,
		      struct catalog_function *function)
{
	const char *name = json_string_value(json_object_get(*value, "base"));
	const json_t *base;
	json_t *whole;
	int r;

	/* read_function() says so if it is no name */
	if (!name)
		return 0;
	base = find_by_name(by_name, functions, name);
	r = check_base(place, *value, name, base);
	if (!r)
		r = read_timeout(place, base, function);
	if (r)
		return r;
	whole = json_copy(*value);
	if (!whole)
		return json_reader_no_memory(place);
	for (size_t i = 0; i < BASE_KEYS; i++)
		if (json_object_get(base, base_keys[i]))
			json_object_set(whole, base_keys[i],
					json_object_get(base, base_keys[i]));
	if (!json_object_get(whole, "entry") && json_object_get(base, "entry"))
		json_object_set(whole, "entry", json_object_get(base, "entry"));
	json_decref(*value);
	*value = whole;
	return 0;
}

int catalog_base_read_init(const struct json_place *place,
			   struct catalog_function *function)
{
	struct catalog_init *init = &function->init;
	struct error err;

	if (init->file && !init->text &&
	    request_file_read(init->file, function->max_request, "max_request",
			      &err, &init->text, &init->size))
		return json_reader_refuse(place, "%s", err.message);
	if (init->size > function->max_request)
		return json_reader_refuse(place,
					  "its text has %zu bytes: max_request "
					  "is %zu",
					  init->size, function->max_request);
	return 0;
}
