/*
 * base64.h - base64 (RFC 4648, section 4): the usual alphabet, no line breaks.
 * No state, no allocation but the buffer's: any thread.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Appends @size bytes at @data as base64, with padding. */
void base64_encode(const void *data, size_t size, struct buffer *out);

/*
 * Decodes @size characters at @text into @to, of @to_size bytes. Padding may be
 * missing, as it may for Java and so for Lambda. Returns how many bytes that
 * makes; -EINVAL if the text is not base64, -ENOSPC if they do not fit.
 */
int base64_decode(const char *text, size_t size, void *to, size_t to_size);

/*
 * Whether characters, one by one, are base64: @check is 0 at first. False: that
 * character cannot be one; in the end: something is missing. Without padding it
 * may be base64, too; whether it has what it needs is another question.
 */
struct base64_check {
	size_t digits, padding;
	uint32_t bits; /* of the last digits */
};

bool base64_check_add(struct base64_check *check, char c);
bool base64_check_end(const struct base64_check *check);
bool base64_is_padded(const struct base64_check *check);

#endif
