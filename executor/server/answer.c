/*
 * answer.c - a function behind HTTP: what of the request's head it gets to see,
 * and its reply as a response. See answer.h.
 */
#include "executor/server/answer.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
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
			    const char *name)
{
	return !thaw_http_is_framing(name) && strcmp(name, "expect") != 0 &&
	       strcmp(name, "content-type") != 0 &&
	       !is_of_connection(request, name);
}

void answer_take_headers(struct exchange *exchange)
{
	struct http_request *http = &exchange->request;
	bool is_kept[HTTP_HEADERS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < http->header_count; i++)
		is_kept[i] = is_for_function(http, http->headers[i].name);
	for (size_t i = 0; i < http->header_count; i++)
		if (is_kept[i])
			http->headers[count++] = http->headers[i];
	http->header_count = count;
	exchange->invocation.request.headers = http->headers;
	exchange->invocation.request.header_count = count;
}

/* Writes "1.234" for 1,234 us: milliseconds. */
static void answer_write_ms(struct buffer *out, uint64_t ns)
{
	uint64_t us = ns / NS_PER_US;
	const char digits[4] = { '.', (char)('0' + us / 100 % 10),
				 (char)('0' + us / 10 % 10),
				 (char)('0' + us % 10) };

	buffer_number(out, us / 1000);
	buffer_append(out, digits, sizeof(digits));
}

void answer_timing(struct exchange *exchange)
{
	const struct thaw_reply *reply = &exchange->invocation.reply;
	struct buffer *out = &exchange->out;

	buffer_text(out, "Server-Timing: queue;dur=");
	answer_write_ms(out, reply->queue_ns);
	buffer_text(out, ", run;dur=");
	answer_write_ms(out, reply->run_ns);
	buffer_text(out, ", restore;dur=");
	answer_write_ms(out,
			atomic_load_explicit(&exchange->deployment->restore_ns,
					     memory_order_relaxed));
	buffer_text(out, "\r\n");
}

void answer_respond(struct exchange *exchange)
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
