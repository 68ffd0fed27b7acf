/*
 * http_headers.h - headers as they travel between host, guest and clients: pairs
 * of strings, "name\0value\0", one behind the other. Attributes travel so, too.
 *
 *	for (size_t at = 0;
 *	     http_headers_next(headers, size, &at, &name, &value);)
 *		...
 */
#ifndef EXECUTOR_HTTP_HEADERS_H
#define EXECUTOR_HTTP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "executor/libthaw.h"

/*
 * Reads the pair at offset *@at and moves *@at behind it. Returns false at the end,
 * and where a string has no end.
 */
bool http_headers_next(const char *headers, size_t size, size_t *at,
		       const char **ret_name, const char **ret_value);

/* Whether all @size bytes are whole pairs, of whatever text; counts the pairs. */
bool http_headers_are_whole(const char *headers, size_t size,
			    size_t *ret_count);

/*
 * http_headers_size() returns how many bytes @count pairs take, or -1 if these are
 * more than @max. http_headers_write() writes the pairs to @to, which must have that
 * room, and returns their end.
 */
int http_headers_size(const struct thaw_attribute *pairs, size_t count,
		      size_t max);
char *http_headers_write(char *to, const struct thaw_attribute *pairs,
			 size_t count);

/*
 * Checks the headers of a reply, @size bytes that come from a guest. Returns what is
 * wrong with them, in words that follow "the reply has", or NULL.
 */
const char *http_headers_reply_fault(const char *headers, size_t size);

/*
 * Returns 0 if a request may have these headers: names and values are valid by RFC
 * 9110, and a guest has room for all of them. Else -EINVAL.
 */
int http_headers_check(const struct thaw_attribute *headers, size_t count,
		       struct error *err);

/* The same for attributes, whose text may be anything. */
int http_attributes_check(const struct thaw_attribute *attributes, size_t count,
			  struct error *err);

#endif
