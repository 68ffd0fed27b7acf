/* run_catalog.c - see run_catalog.h. */
#include "executor/cli/run_catalog.h"

#include <jansson.h>
#include <string.h>

/* The last value of a variable counts. */
static json_t *environment_json(const struct run_settings *settings)
{
	json_t *object = json_object();

	for (size_t i = 0; i < settings->environment_count; i++) {
		const char *pair = settings->environment[i];
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

/* @list ends with NULL, or is NULL. */
static json_t *list_json(const char *const *list)
{
	json_t *array = json_array();

	for (; list && *list; list++) {
		if (json_array_append_new(array, json_string(*list))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static int set_program(json_t *object, const struct run_function *f)
{
	return set_text(object, "kind", "linux") ||
	       set_text(object, "program", f->program) ||
	       set_text(object, "root", f->root) ||
	       set_text(object, "stack", RUN_PROGRAM_STACK) ||
	       json_object_set_new(object, "argv",
				   list_json((const char *const *)
						     f->arguments)) ||
	       json_object_set_new(object, "files",
				   list_json((const char *const *)f->files)) ||
	       set_text(object, "devices", f->settings->devices) ||
	       json_object_set_new(object, "interrupts",
				   list_json(f->settings->interrupts));
}

/* The value of an option, or what programs have by default. */
static const char *value_of(const struct run_function *f, const char *value,
			    const char *of_programs)
{
	return value || !f->program ? value : of_programs;
}

static json_t *function_json(const struct run_function *f)
{
	const struct run_settings *settings = f->settings;
	json_t *object = json_object();

	if (set_text(object, "name", f->name) ||
	    set_text(object, "image", f->image) ||
	    (f->program && set_program(object, f)) ||
	    set_text(object, "entry", f->entry) ||
	    set_text(object, "memory",
		     value_of(f, settings->memory, RUN_PROGRAM_MEMORY)) ||
	    set_text(object, "timeout",
		     value_of(f, settings->timeout, RUN_PROGRAM_TIMEOUT)) ||
	    set_text(object, "init_timeout", settings->init_timeout) ||
	    set_text(object, "max_request",
		     value_of(f, settings->max_request, RUN_PROGRAM_SIZE)) ||
	    set_text(object, "max_reply",
		     value_of(f, settings->max_reply, RUN_PROGRAM_SIZE)) ||
	    json_object_set_new(object, "environment",
				environment_json(settings))) {
		json_decref(object);
		return NULL;
	}
	return object;
}

char *run_catalog_text(const struct run_function *functions, size_t count)
{
	json_auto_t *list = json_array();
	json_auto_t *catalog = json_pack("{s:O}", "functions", list);

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(list, function_json(&functions[i])))
			return NULL;
	return catalog ? json_dumps(catalog, JSON_COMPACT) : NULL;
}
