/*
 * json_output.h - makes JSON objects, key by key.
 *
 *	struct json_output object = json_output_make();
 *
 *	json_put_text(&object, "name", name);
 *	json_put_number(&object, "size", size);
 *	json_put_object(&object, "log", log_object(metrics));
 *	json_output_finish(object, out);
 *
 * Whatever the strings hold, the text is valid JSON. A failure, for want of
 * memory, sticks and is the buffer's in the end. What is put into another
 * object, or finished, is done with.
 */
#ifndef BASE_JSON_OUTPUT_H
#define BASE_JSON_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct json_output {
	json_t *json;
	bool failed;
};

struct json_output json_output_make(void);

/* Appends the text to @out, without blanks or a line's end. */
void json_output_finish(struct json_output object, struct buffer *out);

/* The object as jansson has it, the caller's; NULL if it has failed. */
json_t *json_output_take(struct json_output object);

/* @value is done with. */
void json_put(struct json_output *object, const char *key, json_t *value);
void json_put_object(struct json_output *object, const char *key,
		     struct json_output value);

void json_put_number(struct json_output *object, const char *key,
		     uint64_t number);
void json_put_counter(struct json_output *object, const char *key,
		      const _Atomic uint64_t *counter);
void json_put_boolean(struct json_output *object, const char *key, bool value);

/*
 * A string. What is not UTF-8, as where a message has been cut, or in a path, is
 * cleaned by text_clean(). NULL if there is no memory.
 */
json_t *json_make_text(const char *text);

/* The same, but NULL is null. */
void json_put_text(struct json_output *object, const char *key,
		   const char *text);

/* And "" is null. */
void json_put_reason(struct json_output *object, const char *key,
		     const char *text);

/* Bytes, as base64. */
void json_put_base64(struct json_output *object, const char *key,
		     const void *data, size_t size);

/* "2026-01-31T12:00:00Z" */
void json_put_time(struct json_output *object, const char *key,
		   uint64_t unix_ms);

/*
 * {"NAME": "VALUE"} of "NAME=VALUE"; @pairs is NULL-terminated, or NULL. NULL if
 * there is no memory.
 */
json_t *json_make_pairs(char *const *pairs);

#endif
