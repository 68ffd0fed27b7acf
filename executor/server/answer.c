/*
 * answer.c - a function behind HTTP: what of the request's head it gets to see,
 * and its reply as a response. See answer.h.
 */
#include "executor/server/answer.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/hot.h"
#include "executor/http_headers.h"
#include "executor/protocol/http_response.h"
#include "executor/server/respond.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_http.h"

_Static_assert(HTTP_HEAD_MAX <= THAW_HEADERS_MAX,
	       "a guest has room for the headers of any request");

/* Whether @list, of names with commas and blanks between, has @name. */
static bool has_name(const char *list, const char *name)
{
	const size_t size = strlen(name);

	while (*(list += strspn(list, ", \t"))) {
		const size_t length = strcspn(list, ", \t");

		if (length == size && !strncasecmp(list, name, size))
			return true;
		list += length;
	}
	return false;
}

/* Whether the client has said that it is about the connection (RFC 9110, 7.6.1). */
static bool is_of_connection(const struct http_request *request,
			     const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (!strcmp(request->headers[i].name, "connection") &&
		    has_name(request->headers[i].value, name))
			return true;
	return false;
}

/* The content type is passed separately: an event has another one. */
static bool is_for_function(const struct http_request *request,
			    const char *name, bool has_connection)
{
	return !thaw_http_is_framing(name) && strcmp(name, "expect") != 0 &&
	       strcmp(name, "content-type") != 0 &&
	       !(has_connection && is_of_connection(request, name));
}

HOT void answer_take_headers(struct exchange *exchange)
{
	struct http_request *http = &exchange->request;
	const bool has_connection = http_request_header(http, "connection");
	bool is_kept[HTTP_HEADERS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < http->header_count; i++)
		is_kept[i] = is_for_function(http, http->headers[i].name,
					     has_connection);
	for (size_t i = 0; i < http->header_count; i++)
		if (is_kept[i])
			http->headers[count++] = http->headers[i];
	http->header_count = count;
	exchange->invocation.request.headers = http->headers;
	exchange->invocation.request.header_count = count;
}

#define TIMING_MAX 128

/* Writes @name and "1.234" for 1,234 us: milliseconds. @size is that of @name. */
static char *put_timing(char *to, const char *name, size_t size, uint64_t ns)
{
	const uint64_t us = ns / NS_PER_US;
	const unsigned part = (unsigned)(us % 1000);

	memcpy(to, name, size);
	to = buffer_put_number(to + size, us / 1000);
	*to++ = '.';
	*to++ = (char)('0' + part / 100);
	*to++ = (char)('0' + part / 10 % 10);
	*to++ = (char)('0' + part % 10);
	return to;
}

HOT void answer_timing(struct exchange *exchange)
{
	static const char queue[] = "Server-Timing: queue;dur=";
	static const char run[] = ", run;dur=";
	static const char restore[] = ", restore;dur=";
	const struct thaw_reply *reply = &exchange->invocation.reply;
	const uint64_t restore_ns =
		atomic_load_explicit(&exchange->deployment->restore_ns,
				     memory_order_relaxed);
	char text[TIMING_MAX], *to = text;

	_Static_assert(sizeof(queue) + sizeof(run) + sizeof(restore) +
				       3 * (BUFFER_NUMBER_MAX + 4) + 2 <=
			       TIMING_MAX,
		       "it has room for the largest numbers");
	to = put_timing(to, queue, sizeof(queue) - 1, reply->queue_ns);
	to = put_timing(to, run, sizeof(run) - 1, reply->run_ns);
	to = put_timing(to, restore, sizeof(restore) - 1, restore_ns);
	*to++ = '\r';
	*to++ = '\n';
	buffer_append(&exchange->out, text, (size_t)(to - text));
}

HOT void answer_respond(struct exchange *exchange)
{
	const struct thaw_reply *reply = &exchange->invocation.reply;
	const unsigned status = reply->status ? reply->status : 200;
	const bool is_bodiless = thaw_http_is_bodiless(status);
	struct buffer *out = &exchange->out;
	const char *name, *value;

	respond_begin(exchange, status,
		      is_bodiless ? NULL : reply->content_type);
	if (reply->status)
		http_response_number(out, ANSWER_STATUS_HEADER, status);
	/* before headers of the function, which may have the same name */
	answer_timing(exchange);
	for (size_t at = 0;
	     http_headers_next(reply->headers, reply->headers_size, &at, &name,
			       &value);)
		http_response_header(out, name, value);
	/* 205 has the length 0; an empty reply to HEAD does not tell a length */
	if ((is_bodiless && status != 205) ||
	    (exchange->is_head && !reply->size))
		respond_end(exchange, NULL, HTTP_NO_BODY);
	else
		respond_reply(exchange);
}
