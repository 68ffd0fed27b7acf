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
 * The pair at *@at, which then is behind it. False at the end, and where a string
 * is not whole.
 */
bool http_headers_next(const char *headers, size_t size, size_t *at,
		       const char **ret_name, const char **ret_value);

/* Whether all of @size bytes are such pairs, whatever is in them; their number. */
bool http_headers_are_whole(const char *headers, size_t size,
			    size_t *ret_count);

/*
 * Bytes that @count pairs take, or -1: more than @max. Writes them to @to, and
 * returns the end.
 */
int http_headers_size(const struct thaw_attribute *pairs, size_t count,
		      size_t max);
char *http_headers_write(char *to, const struct thaw_attribute *pairs,
			 size_t count);

/*
 * What is wrong with the headers of a reply, in @size bytes that come from a
 * guest: something to say of them, or NULL.
 */
const char *http_headers_reply_fault(const char *headers, size_t size);

/*
 * Whether a request may have these: names and values as RFC 9110 has them, and
 * all of them together in no more than a guest has room for. Else -EINVAL.
 */
int http_headers_check(const struct thaw_attribute *headers, size_t count,
		       struct error *err);

/* The same for attributes, which may be anything. */
int http_attributes_check(const struct thaw_attribute *attributes, size_t count,
			  struct error *err);

#endif
