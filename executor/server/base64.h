/*
 * base64.h - base64 (RFC 4648, section 4): the usual alphabet, no line breaks.
 * No state, no allocation but the buffer's: any thread.
 */
#ifndef EXECUTOR_SERVER_BASE64_H
#define EXECUTOR_SERVER_BASE64_H

#include <stddef.h>

#include "executor/server/buffer.h"

/* Appends @size bytes at @data as base64, with padding. */
void base64_encode(const void *data, size_t size, struct buffer *out);

/*
 * Decodes @size characters at @text into @to, of @to_size bytes. Padding may be
 * missing, as it may for Java and so for Lambda. Returns how many bytes that
 * makes; -EINVAL if the text is not base64, -ENOSPC if they do not fit.
 */
int base64_decode(const char *text, size_t size, void *to, size_t to_size);

#endif
