/* json_output.c - see json_output.h. */
#include "base/json_output.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/text.h"

#define MS_PER_S 1000

struct json_output json_output_make(void)
{
	return (struct json_output){ .json = json_object() };
}

static int append_piece(const char *text, size_t size, void *cookie)
{
	struct buffer *out = cookie;

	buffer_append(out, text, size);
	return out->failed ? -1 : 0;
}

void json_output_finish(struct json_output object, struct buffer *out)
{
	if (object.failed ||
	    json_dump_callback(object.json, append_piece, out, JSON_COMPACT))
		out->failed = true;
	json_decref(object.json);
}

json_t *json_output_take(struct json_output object)
{
	if (!object.failed)
		return object.json;
	json_decref(object.json);
	return NULL;
}

void json_put(struct json_output *object, const char *key, json_t *value)
{
	/* fails if @value could not be made */
	if (json_object_set_new(object->json, key, value))
		object->failed = true;
}

void json_put_object(struct json_output *object, const char *key,
		     struct json_output value)
{
	json_put(object, key, value.json);
	object->failed |= value.failed;
}

void json_put_number(struct json_output *object, const char *key,
		     uint64_t number)
{
	json_put(object, key, json_integer((json_int_t)number));
}

void json_put_counter(struct json_output *object, const char *key,
		      const _Atomic uint64_t *counter)
{
	json_put_number(object, key,
			atomic_load_explicit(counter, memory_order_relaxed));
}

void json_put_boolean(struct json_output *object, const char *key, bool value)
{
	json_put(object, key, json_boolean(value));
}

json_t *json_make_text(const char *text)
{
	json_t *json = json_string(text);
	char *copy;

	if (json)
		return json;
	copy = strdup(text);
	if (!copy)
		return NULL;
	text_clean(copy, strlen(copy));
	json = json_string(copy);
	free(copy);
	return json;
}

void json_put_text(struct json_output *object, const char *key,
		   const char *text)
{
	json_put(object, key, text ? json_make_text(text) : json_null());
}

void json_put_reason(struct json_output *object, const char *key,
		     const char *text)
{
	json_put_text(object, key, *text ? text : NULL);
}

void json_put_base64(struct json_output *object, const char *key,
		     const void *data, size_t size)
{
	struct buffer text = BUFFER_INIT(SIZE_MAX);

	base64_encode(data, size, &text);
	json_put(object, key, json_stringn(text.data, text.size));
	buffer_done(&text);
}

void json_put_time(struct json_output *object, const char *key,
		   uint64_t unix_ms)
{
	char text[DATE_TEXT_MAX];

	json_put_text(object, key, date_format_s(unix_ms / MS_PER_S, text));
}

json_t *json_make_pairs(char *const *pairs)
{
	json_t *object = json_object();

	for (; pairs && *pairs; pairs++) {
		const char *equals = strchr(*pairs, '=');

		if (json_object_setn_new(object, *pairs,
					 (size_t)(equals - *pairs),
					 json_make_text(equals + 1))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}
