/* http_fixture.c - requests for tests. See http_fixture.h. */
#include "tests/unit/http_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct http_request request;
size_t max_body;
char *text;

void http_begin(void)
{
	memset(&request, 0xa5, sizeof(request));
	http_request_init(&request, NULL);
	max_body = 1024 * 1024;
	text = malloc(ROOM);
}

void http_end(void)
{
	http_request_done(&request);
	free(text);
}

enum http_progress parse(const char *data, size_t size, size_t *ret_used)
{
	enum http_progress progress;
	char *copy = malloc(size ? size : 1);
	size_t used;

	memcpy(copy, data, size);
	progress = http_request_parse(&request, copy, size, &used);
	ck_assert_uint_le(used, size);
	*ret_used = used;
	if (progress == HTTP_HEAD_DONE) {
		request.max_body = max_body;
		progress = http_request_parse(&request, copy + *ret_used,
					      size - *ret_used, &used);
		*ret_used += used;
	}
	if (progress == HTTP_MORE)
		ck_assert_uint_eq(*ret_used, size);
	free(copy);
	return progress;
}

enum http_progress feed(const char *data, size_t size, size_t piece,
			size_t *ret_used)
{
	enum http_progress progress = HTTP_MORE;
	size_t used;

	http_request_done(&request);
	http_request_init(&request, NULL);
	*ret_used = 0;
	while (progress == HTTP_MORE && *ret_used < size) {
		size_t rest = size - *ret_used;

		progress = parse(data + *ret_used, rest < piece ? rest : piece,
				 &used);
		*ret_used += used;
	}
	return progress;
}

/* The status of the refusal; 0: whole, -1: more is needed. */
static int status_of(const char *data)
{
	enum http_progress progress;
	size_t used;

	progress = feed(data, strlen(data), strlen(data), &used);
	return progress == HTTP_BAD  ? (int)request.bad_status :
	       progress == HTTP_MORE ? -1 :
				       0;
}

void status_is(const char *data, int status)
{
	size_t used;

	ck_assert_msg(status_of(data) == status, "%d (%s), not %d: %s",
		      request.bad_status, request.bad_reason, status, data);
	feed(data, strlen(data), 1, &used);
	ck_assert_msg((int)request.bad_status == (status > 0 ? status : 0),
		      "%d (%s) in pieces: %s", request.bad_status,
		      request.bad_reason, data);
}

void body_is(const char *body)
{
	ck_assert_uint_eq(request.body_size, strlen(body));
	ck_assert_mem_eq(request.body, body, request.body_size);
}
