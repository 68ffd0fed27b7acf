/* http_query.h - percent-encoded paths and parameters. Any thread. */
#ifndef EXECUTOR_PROTOCOL_HTTP_QUERY_H
#define EXECUTOR_PROTOCOL_HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Percent-decodes the value of the parameter @name of a query string into @value,
 * of @size bytes. Returns false if there is none, if it does not fit, or if it is
 * not well-formed.
 */
bool http_query_get(const char *query, const char *name, char *value,
		    size_t size);

/*
 * Percent-decodes @size bytes at @from into @to and adds a zero. Returns the
 * length, or -1 if the text does not fit, is not well-formed, or has a zero or
 * another control character in it.
 */
int http_decode(const char *from, size_t size, char *to, size_t to_size);

#endif
