/*
 * base64.h - base64 (RFC 4648, section 4): the standard alphabet, without line
 * breaks. Any thread; only the buffer allocates.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends @size bytes at @data as base64, with padding. */
void base64_encode(const void *data, size_t size, struct buffer *out);

/*
 * Decodes @size characters at @text into @to, which has room for @to_size
 * bytes. The padding may be missing, because Java, and so Lambda, accepts that.
 * Returns the number of bytes; -EINVAL if the text is not base64; -ENOSPC if it
 * has more digits than @to has room for.
 */
int base64_decode(const char *text, size_t size, void *to, size_t to_size);

#endif
