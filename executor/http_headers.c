/* http_headers.c - headers of requests and replies. See http_headers.h. */
#include "executor/http_headers.h"

#include <errno.h>
#include <string.h>

#include "base/hot.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_http.h"

/* Returns the string at offset *@at and moves *@at behind it; NULL: it has no end. */
static const char *next_string(const char *strings, size_t size, size_t *at)
{
	const char *string, *end;

	if (*at >= size)
		return NULL;
	string = strings + *at;
	end = memchr(string, '\0', size - *at);
	if (!end)
		return NULL;
	*at = (size_t)(end - strings) + 1;
	return string;
}

HOT bool http_headers_next(const char *headers, size_t size, size_t *at,
			   const char **ret_name, const char **ret_value)
{
	size_t behind = *at;

	*ret_name = next_string(headers, size, &behind);
	*ret_value = *ret_name ? next_string(headers, size, &behind) : NULL;
	if (!*ret_value)
		return false;
	*at = behind;
	return true;
}

HOT bool http_headers_are_whole(const char *headers, size_t size,
				size_t *ret_count)
{
	const char *name, *value;
	size_t at = 0;

	*ret_count = 0;
	while (http_headers_next(headers, size, &at, &name, &value))
		++*ret_count;
	return at == size;
}

HOT int http_headers_size(const struct thaw_attribute *pairs, size_t count,
			  size_t max)
{
	size_t size = 0;

	for (size_t i = 0; i < count && size <= max; i++)
		size += strlen(pairs[i].name) + 1 + strlen(pairs[i].value) + 1;
	return size <= max ? (int)size : -1;
}

HOT char *http_headers_write(char *to, const struct thaw_attribute *pairs,
			     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		to = stpcpy(to, pairs[i].name) + 1;
		to = stpcpy(to, pairs[i].value) + 1;
	}
	return to;
}

const char *http_headers_reply_fault(const char *headers, size_t size)
{
	const char *name, *value;
	size_t at = 0;

	while (http_headers_next(headers, size, &at, &name, &value)) {
		if (!thaw_http_is_token(name))
			return "a header whose name is not a token";
		if (!thaw_http_is_value(value))
			return "a header with characters that HTTP does not allow";
		if (thaw_http_is_framing(name) || thaw_http_is_servers(name))
			return "a header that is not the function's to set";
	}
	return at == size ? NULL : "a header that does not end";
}

HOT int http_headers_check(const struct thaw_attribute *headers, size_t count,
			   struct error *err)
{
	if (http_headers_size(headers, count, THAW_HEADERS_MAX) < 0)
		return error_set(err, -EINVAL,
				 "the headers of a request may take %d bytes",
				 THAW_HEADERS_MAX);
	for (size_t i = 0; i < count; i++)
		if (!thaw_http_is_token(headers[i].name) ||
		    !thaw_http_is_value(headers[i].value))
			return error_set(err, -EINVAL,
					 "header %zu of the request is not a "
					 "name and a value as HTTP has them",
					 i + 1);
	return 0;
}

HOT int http_attributes_check(const struct thaw_attribute *attributes,
			      size_t count, struct error *err)
{
	if (http_headers_size(attributes, count, THAW_ATTRIBUTES_MAX) < 0)
		return error_set(err, -EINVAL,
				 "the attributes of a request may take %d bytes",
				 THAW_ATTRIBUTES_MAX);
	return 0;
}
