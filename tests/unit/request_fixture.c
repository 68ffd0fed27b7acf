/* request_fixture.c - requests for tests. See request_fixture.h. */
#include "request_fixture.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct http_request fixture;
static char target[8192];

struct http_request *request_fixture(enum http_method method, const char *path,
				     ...)
{
	va_list headers;
	const char *name;
	char *query;

	memset(&fixture, 0, sizeof(fixture));
	ck_assert_uint_lt(strlen(path), sizeof(target));
	strcpy(target, path);
	query = strchr(target, '?');
	if (query)
		*query++ = '\0';
	fixture.method = method;
	fixture.path = target;
	fixture.query = query ? query : "";
	va_start(headers, path);
	while ((name = va_arg(headers, const char *))) {
		ck_assert_uint_lt(fixture.header_count, HTTP_HEADERS_MAX);
		fixture.headers[fixture.header_count++] =
			(struct thaw_attribute){ name, va_arg(headers,
							      const char *) };
	}
	va_end(headers);
	return &fixture;
}

void request_fixture_body(struct http_request *request, const char *body,
			  size_t size)
{
	request->body = body;
	request->body_size = size;
}
