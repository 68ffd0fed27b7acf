/* catalog_json.c - see catalog_json.h. */
#include "executor/catalog_json.h"

#include <string.h>

#include <jansson.h>

#include "base/json_output.h"
#include "base/units.h"

static void put_size(struct json_output *object, const char *key, size_t bytes)
{
	char text[UNITS_TEXT_MAX];

	json_put_text(object, key, units_format_size(bytes, text));
}

static void put_duration(struct json_output *object, const char *key,
			 uint64_t ns)
{
	char text[UNITS_TEXT_MAX];

	json_put_text(object, key, units_format_duration(ns, text));
}

static struct json_output
catalog_concurrency_object(const struct catalog_concurrency *c)
{
	struct json_output object = json_output_make();

	json_put_number(&object, "max", c->max);
	json_put_number(&object, "warm", c->warm);
	json_put_number(&object, "queue", c->queue);
	put_duration(&object, "queue_timeout", c->queue_timeout_ns);
	return object;
}

static json_t *make_allow(const struct catalog_host *host)
{
	json_t *list = json_array();

	for (size_t i = 0; i < host->allow_count; i++)
		json_array_append_new(list, json_string(host->allow[i]));
	return list;
}

static json_t *make_config(const struct catalog_host *host)
{
	json_t *object = json_object();

	for (size_t i = 0; i < host->config_count; i++)
		json_object_set_new(object, host->config[i].name,
				    json_loads(host->config[i].json,
					       JSON_DECODE_ANY, NULL));
	return object;
}

/* Where they are, not what they are. */
static json_t *make_secrets(const struct catalog_host *host)
{
	json_t *object = json_object();

	for (size_t i = 0; i < host->secret_count; i++)
		json_object_set_new(object, host->secrets[i].name,
				    json_string(host->secrets[i].file));
	return object;
}

static struct json_output catalog_host_object(const struct catalog_host *host)
{
	struct json_output object = json_output_make();

	json_put(&object, "allow", make_allow(host));
	json_put(&object, "config", make_config(host));
	json_put(&object, "secrets", make_secrets(host));
	put_size(&object, "max_size", host->max_size);
	return object;
}

static json_t *make_strings(char *const *list)
{
	json_t *array = json_array();

	for (; array && *list; list++)
		if (json_array_append_new(array, json_string(*list))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

/* A request, which is a text or in a file; of the latter @text may be the bytes. */
static void put_request(struct json_output *object, const char *text,
			const char *file)
{
	if (file)
		json_put_text(object, "file", file);
	else
		json_put_text(object, "text", text);
}

static void put_warm_input(struct json_output *object,
			   const struct catalog_warm_input *warm)
{
	struct json_output value = json_output_make();

	put_request(&value, warm->text, warm->file);
	json_put_number(&value, "count", warm->count);
	json_put_object(object, "warm_input", value);
}

static void put_init(struct json_output *object,
		     const struct catalog_init *init)
{
	struct json_output value = json_output_make();

	if (init->entry)
		json_put_text(&value, "entry", init->entry);
	put_request(&value, init->text, init->file);
	json_put_object(object, "init", value);
}

json_t *catalog_function_json(const struct catalog_function *f)
{
	struct json_output object = json_output_make();

	json_put_text(&object, "name", f->name);
	json_put_text(&object, "description", f->description);
	if (f->kind == CATALOG_KIND_LINUX) {
		json_put_text(&object, "kind", catalog_kinds.list[f->kind]);
		json_put_text(&object, "program",
			      f->image + (f->root ? strlen(f->root) : 0));
		json_put(&object, "argv", make_strings(f->arguments));
		if (f->root)
			json_put_text(&object, "root", f->root);
		json_put(&object, "files", make_strings(f->files));
		if (f->warm_input.count)
			put_warm_input(&object, &f->warm_input);
		put_size(&object, "tmp", f->tmp);
		json_put_boolean(&object, "writable_code", f->writable_code);
		json_put_text(&object, "devices",
			      catalog_devices.list[f->devices]);
		json_put(&object, "interrupts", make_strings(f->interrupts));
	} else {
		json_put_text(&object, "image", f->image);
	}
	if (f->base) {
		json_put_text(&object, "base", f->base);
		put_init(&object, &f->init);
	}
	if (*f->entry)
		json_put_text(&object, "entry", f->entry);
	put_size(&object, "memory", f->memory);
	put_size(&object, "stack", f->stack);
	put_size(&object, "max_request", f->max_request);
	put_size(&object, "max_reply", f->max_reply);
	put_duration(&object, "timeout", f->timeout_ns);
	put_duration(&object, "init_timeout", f->init_timeout_ns);
	put_duration(&object, "inline_budget", f->inline_budget_ns);
	json_put_text(&object, "log_level",
		      catalog_log_level_name(f->log_level));
	json_put_text(&object, "dispatch", catalog_dispatch_name(f->dispatch));
	json_put_text(&object, "isolation",
		      catalog_isolation_name(f->isolation));
	json_put_boolean(&object, "untrusted", f->untrusted);
	json_put_boolean(&object, "critical", f->critical);
	json_put_object(&object, "concurrency",
			catalog_concurrency_object(&f->concurrency));
	json_put_object(&object, "host", catalog_host_object(&f->host));
	json_put(&object, "environment", json_make_pairs(f->environment));
	json_put(&object, "labels", json_make_pairs(f->labels));
	if (!object.failed)
		return object.json;
	json_decref(object.json);
	return NULL;
}
