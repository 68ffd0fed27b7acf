/*
 * http_headers.h - headers as they travel between host, guest and clients: pairs
 * of strings, "name\0value\0", one behind the other.
 *
 *	for (size_t at = 0;
 *	     http_headers_next(headers, size, &at, &name, &value);)
 *		...
 */
#ifndef EXECUTOR_HTTP_HEADERS_H
#define EXECUTOR_HTTP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/libthaw.h"
#include "vm/error.h"

/*
 * The pair at *@at, which then is behind it. False at the end, and where a string
 * is not whole.
 */
bool http_headers_next(const char *headers, size_t size, size_t *at,
		       const char **ret_name, const char **ret_value);

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

#endif
