/*
 * json_write.h - strings of JSON, whatever is in them. Any thread.
 *
 * Quotes, backslashes and control characters are escaped. A byte that is not
 * UTF-8 becomes U+FFFD, so the result is valid JSON. json_output.h makes whole
 * objects.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends @size bytes at @text, or a zero-terminated @text, in quotes. */
void json_write_string(struct buffer *out, const char *text, size_t size);
void json_write_text(struct buffer *out, const char *text);

/* Room for one escaped character: "\u0000" and a terminating zero. */
#define JSON_ESCAPED_MAX 8

/*
 * Writes the first character of the @size bytes at @text, at least one, into
 * @piece as it is written between quotes. Returns its length, without a
 * terminating zero; *@ret_taken is the length of the character in @text.
 */
size_t json_escape(const char *text, size_t size,
		   char piece[static JSON_ESCAPED_MAX], size_t *ret_taken);

#endif
