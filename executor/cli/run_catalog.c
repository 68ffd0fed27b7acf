/* run_catalog.c - see run_catalog.h. */
#include "executor/cli/run_catalog.h"

#include <jansson.h>
#include <string.h>

/* The last value of a variable counts. */
static json_t *environment_json(const struct run_function *function)
{
	json_t *object = json_object();

	for (size_t i = 0; i < function->environment_count; i++) {
		const char *pair = function->environment[i];
		const char *end = strchrnul(pair, '=');

		if (json_object_setn_new(object, pair, (size_t)(end - pair),
					 json_string(*end ? end + 1 : end))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* Adds a member unless @text is NULL; returns 0, or -1 if it is not UTF-8. */
static int set_text(json_t *object, const char *key, const char *text)
{
	return text ? json_object_set_new(object, key, json_string(text)) : 0;
}

char *run_catalog_text(const struct run_function *f)
{
	json_auto_t *object = json_object();
	json_auto_t *catalog = json_pack("{s:[O]}", "functions", object);

	if (!catalog || set_text(object, "name", f->name) ||
	    set_text(object, "image", f->image) ||
	    set_text(object, "entry", f->entry) ||
	    set_text(object, "memory", f->memory) ||
	    set_text(object, "timeout", f->timeout) ||
	    set_text(object, "init_timeout", f->init_timeout) ||
	    set_text(object, "max_request", f->max_request) ||
	    set_text(object, "max_reply", f->max_reply) ||
	    json_object_set_new(object, "environment", environment_json(f)))
		return NULL;
	return json_dumps(catalog, JSON_COMPACT);
}
