/*
 * json_output.h - makes JSON objects, key by key, as jansson's trees.
 *
 *	struct json_output object = json_output_make();
 *
 *	json_put_text(&object, "name", name);
 *	json_put_number(&object, "size", size);
 *	json_put_object(&object, "log", log_object(metrics));
 *	json_output_finish(object, out);
 *
 * The text is valid JSON, whatever the strings hold. A failure, which means a lack
 * of memory, sticks, and in the end makes the buffer fail. An object that was put
 * into another one, or was finished, must not be used again.
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

/* Appends the text to @out, without blanks or a newline, and frees the object. */
void json_output_finish(struct json_output object, struct buffer *out);

/* Returns jansson's object, which the caller owns; NULL if it has failed. */
json_t *json_output_take(struct json_output object);

/* Each of these puts one member. @value becomes the object's. */
void json_put(struct json_output *object, const char *key, json_t *value);
void json_put_object(struct json_output *object, const char *key,
		     struct json_output value);

void json_put_number(struct json_output *object, const char *key,
		     uint64_t number);
void json_put_counter(struct json_output *object, const char *key,
		      const _Atomic uint64_t *counter);
void json_put_boolean(struct json_output *object, const char *key, bool value);

/*
 * Returns a string, which the caller owns; NULL if there is no memory. If @text is
 * not UTF-8, as a path may be, text_clean() cleans it.
 */
json_t *json_make_text(const char *text);

/* Puts such a string; null if @text is NULL. */
void json_put_text(struct json_output *object, const char *key,
		   const char *text);

/* Puts such a string; null if @text is "". */
void json_put_reason(struct json_output *object, const char *key,
		     const char *text);

/* Puts @size bytes at @data as base64. */
void json_put_base64(struct json_output *object, const char *key,
		     const void *data, size_t size);

/* Puts a moment: "2026-01-31T12:00:00Z". */
void json_put_time(struct json_output *object, const char *key,
		   uint64_t unix_ms);

/*
 * Returns {"NAME": "VALUE"} of "NAME=VALUE", which the caller owns; NULL if there
 * is no memory. @pairs ends with NULL, or is NULL.
 */
json_t *json_make_pairs(char *const *pairs);

#endif
