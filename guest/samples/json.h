/*
 * json.h - as much JSON as the samples need: a strict scanner that walks one
 * object, without a tree or the heap, and strings for replies.
 *
 *	struct json json = json_open(request->data, request->size);
 *	char key[16], name[64];
 *
 *	json_object(&json);
 *	while (json_next_key(&json, key, sizeof(key))) {
 *		if (strcmp(key, "name") == 0)
 *			json_string(&json, name, sizeof(name));
 *		else
 *			json_skip(&json);
 *	}
 *	if (!json_close(&json))
 *		thaw_fail("My.InvalidRequest", "byte %zu: %s",
 *			  json_offset(&json), json.error);
 *
 * The first error stays, and every later call does nothing. So that strings
 * are C strings, an escaped NUL (\u0000) is an error.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <thaw.h>

#include "utf8.h"

#define JSON_DEPTH_MAX 32  /* of values that are skipped */
#define JSON_NUMBER_MAX 64 /* characters of one number */

struct json {
	const uint8_t *start, *at, *end;
	const char *error; /* NULL while all is well */
	bool inside;	   /* a pair of the object was read */
};

static inline struct json json_open(const void *data, size_t size)
{
	const uint8_t *start = data;

	return (struct json){ .start = start,
			      .at = start,
			      .end = start + size };
}

/* Where the scanner is or, after an error, what it refused. */
static inline size_t json_offset(const struct json *json)
{
	return (size_t)(json->at - json->start);
}

static inline bool json_fail(struct json *json, const char *error)
{
	if (!json->error)
		json->error = error;
	return false;
}

/* The next byte, or 0 (which JSON never has) at the end. */
static inline uint8_t json_peek(const struct json *json)
{
	return json->at < json->end ? *json->at : 0;
}

static inline bool json_take(struct json *json, uint8_t byte)
{
	if (json->error || json_peek(json) != byte)
		return false;
	json->at++;
	return true;
}

static inline void json_space(struct json *json)
{
	while (json_take(json, ' ') || json_take(json, '\n') ||
	       json_take(json, '\r') || json_take(json, '\t'))
		;
}

static inline bool json_digits(struct json *json)
{
	const uint8_t *start = json->at;

	while (json_peek(json) >= '0' && json_peek(json) <= '9')
		json->at++;
	return json->at > start;
}

static inline uint32_t json_hex4(struct json *json)
{
	uint32_t value = 0;
	int i;

	for (i = 0; i < 4; i++) {
		uint8_t c = json_peek(json);

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return json_fail(json, "\\u needs four hex digits");
		json->at++;
	}
	return value;
}

/* What follows a backslash, as a code point. */
static inline uint32_t json_escape(struct json *json)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint8_t c = json_peek(json);
	const char *known = c ? strchr(from, c) : NULL;
	uint32_t point, low;

	if (known) {
		json->at++;
		return (uint8_t)to[known - from];
	}
	if (!json_take(json, 'u'))
		return json_fail(json, "unknown escape");
	point = json_hex4(json);
	if (point >= 0xd800 && point <= 0xdbff) {
		if (!json_take(json, '\\') || !json_take(json, 'u'))
			return json_fail(json, "half a surrogate pair");
		low = json_hex4(json);
		if (low < 0xdc00 || low > 0xdfff)
			return json_fail(json, "half a surrogate pair");
		return 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
	}
	if (point >= 0xdc00 && point <= 0xdfff)
		return json_fail(json, "half a surrogate pair");
	if (point == 0)
		return json_fail(json, "NUL in a string");
	return point;
}

/*
 * Reads a string into @out, @size bytes with the terminating zero. If @out is
 * NULL, it is checked and passed over.
 */
static inline bool json_string(struct json *json, char *out, size_t size)
{
	size_t used = 0, n;
	char bytes[UTF8_MAX];
	uint32_t point;

	json_space(json);
	if (!json_take(json, '"'))
		return json_fail(json, "a string is expected");
	while (!json_take(json, '"')) {
		if (json->at == json->end)
			return json_fail(json, "the string does not end");
		if (json_take(json, '\\')) {
			point = json_escape(json);
		} else {
			n = utf8_decode(json->at,
					(size_t)(json->end - json->at), &point);
			if (n == 0)
				return json_fail(json, "not UTF-8");
			if (point < 0x20)
				return json_fail(json, "control character");
			json->at += n;
		}
		if (json->error)
			return false;
		if (!out)
			continue;
		n = utf8_encode(point, bytes);
		if (used + n >= size)
			return json_fail(json, "the string is too long");
		memcpy(out + used, bytes, n);
		used += n;
	}
	if (out)
		out[used] = '\0';
	return true;
}

/* Reads a number; @ret_number may be NULL. */
static inline bool json_number(struct json *json, double *ret_number)
{
	char text[JSON_NUMBER_MAX + 1];
	const uint8_t *start;
	size_t size;

	if (json->error)
		return false;
	json_space(json);
	start = json->at;
	json_take(json, '-');
	if (!json_take(json, '0') && !json_digits(json))
		return json_fail(json, "a number is expected");
	if (json_take(json, '.') && !json_digits(json))
		return json_fail(json, "a digit is expected");
	if (json_take(json, 'e') || json_take(json, 'E')) {
		if (!json_take(json, '+'))
			json_take(json, '-');
		if (!json_digits(json))
			return json_fail(json, "a digit is expected");
	}
	size = (size_t)(json->at - start);
	if (size > JSON_NUMBER_MAX)
		return json_fail(json, "the number is too long");
	memcpy(text, start, size);
	text[size] = '\0';
	if (ret_number)
		*ret_number = strtod(text, NULL);
	return true;
}

/* Starts the object. */
static inline bool json_object(struct json *json)
{
	json->inside = false;
	json_space(json);
	return json_take(json, '{') || json_fail(json, "{ is expected");
}

/* Reads a key and the colon. */
static inline bool json_key(struct json *json, char *key, size_t size)
{
	if (!json_string(json, key, size))
		return false;
	json_space(json);
	return json_take(json, ':') || json_fail(json, ": is expected");
}

/* Reads the next key, and stands at its value; false behind the last one. */
static inline bool json_next_key(struct json *json, char *key, size_t size)
{
	json_space(json);
	if (json_take(json, '}'))
		return false;
	if (json->inside && !json_take(json, ','))
		return json_fail(json, ", or } is expected");
	json->inside = true;
	return json_key(json, key, size);
}

/* Ends the scan: true if all of the input was one object and well-formed. */
static inline bool json_close(struct json *json)
{
	json_space(json);
	if (json->at < json->end)
		json_fail(json, "the object has ended here");
	return !json->error;
}

/* Passes over a string, number, true, false or null. */
static inline bool json_skip_scalar(struct json *json)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t left = (size_t)(json->end - json->at), i;

	if (json_peek(json) == '"')
		return json_string(json, NULL, 0);
	if (json_peek(json) == '-' ||
	    (json_peek(json) >= '0' && json_peek(json) <= '9'))
		return json_number(json, NULL);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if (left >= n && memcmp(json->at, words[i], n) == 0) {
			json->at += n;
			return true;
		}
	}
	return json_fail(json, "a value is expected");
}

/* Passes over the value of a key that nobody asked for. */
static inline bool json_skip(struct json *json)
{
	char closer[JSON_DEPTH_MAX]; /* of each open object or array */
	size_t depth = 0;
	bool opened;

	do {
		json_space(json);
		opened = json_peek(json) == '{' || json_peek(json) == '[';
		if (json->error)
			return false;
		if (opened) {
			if (depth == JSON_DEPTH_MAX)
				return json_fail(json, "nested too deeply");
			closer[depth++] = *json->at++ == '{' ? '}' : ']';
		} else if (!json_skip_scalar(json)) {
			return false;
		}
		json_space(json);
		while (depth > 0 &&
		       json_take(json, (uint8_t)closer[depth - 1])) {
			depth--;
			opened = false;
			json_space(json);
		}
		if (depth == 0)
			return true;
		if (!opened && !json_take(json, ','))
			return json_fail(json, ", or a bracket is expected");
	} while (closer[depth - 1] == ']' || json_key(json, NULL, 0));
	return false;
}

/*
 * Appends @text, which must be UTF-8, to the reply as a JSON string, quotes
 * included. Returns 0, or -1 when the reply would become too large.
 */
static inline int json_reply_string(const char *text, size_t size)
{
	size_t plain = 0, i;

	if (thaw_reply("\"", 1) < 0)
		return -1;
	for (i = 0; i < size; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		if (thaw_reply(text + plain, i - plain) < 0 ||
		    thaw_reply_printf(c < 0x20 ? "\\u%04x" : "\\%c", c) < 0)
			return -1;
		plain = i + 1;
	}
	if (thaw_reply(text + plain, size - plain) < 0)
		return -1;
	return thaw_reply("\"", 1);
}

#endif
