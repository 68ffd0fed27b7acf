/*
 * http_request.h - one HTTP/1.1 request (RFC 9112), parsed as it arrives.
 *
 *	http_request_init(request, account);
 *	... bytes arrive:
 *	switch (http_request_parse(request, data, size, &used)) {
 *	case HTTP_MORE:			all bytes used; more are needed
 *	case HTTP_HEAD_DONE:		headers are there: decide on max_body,
 *					then parse the rest of the bytes
 *	case HTTP_DONE:			the request is whole; the rest of the
 *					bytes belong to the next
 *	case HTTP_BAD:			answer request->bad_status and close
 *	}
 *	... or to where http_request_room() says: http_request_filled(request, size)
 *	http_request_reset(request);	before the next request
 *	http_request_done(request);	after the last
 *
 * No I/O and no state beyond the struct; one thread at a time. llhttp, in its strict
 * mode, parses the head; http_lines.c and http_chunks.c do the rest.
 */
#ifndef EXECUTOR_PROTOCOL_HTTP_REQUEST_H
#define EXECUTOR_PROTOCOL_HTTP_REQUEST_H

#include <stddef.h>

#include "base/budget.h"
#include "executor/protocol/http_message.h"

/*
 * Prepares for the first request. @account pays for the memory, unless it is NULL.
 * The struct must not move until http_request_done().
 */
void http_request_init(struct http_request *request,
		       struct budget_account *account);

/* Prepares for the next request; up to HTTP_KEPT_MAX bytes each stay allocated. */
void http_request_reset(struct http_request *request);

/* Frees the body before the request ends. */
void http_request_drop_body(struct http_request *request);

/* Frees the memory. May be called again. */
void http_request_done(struct http_request *request);

/* Returns how many bytes are allocated. */
size_t http_request_memory(const struct http_request *request);

/*
 * Takes up to @size bytes; *@ret_used is how many. Strings and body belong to the
 * request and are valid until http_request_reset().
 */
enum http_progress http_request_parse(struct http_request *request,
				      const void *data, size_t size,
				      size_t *ret_used);

/*
 * Where the next bytes of a large body with a length are to go, so that nobody has to
 * copy them: sets *@ret_to, and returns for how many there is room. 0: all that comes
 * goes to http_request_parse(), as it always may. The room is valid until the next call.
 * @waiting bytes, at least 1, have come or are about to.
 */
size_t http_request_room(struct http_request *request, size_t waiting,
			 void **ret_to);

/* @size bytes have come there. Returns HTTP_MORE or HTTP_DONE. */
enum http_progress http_request_filled(struct http_request *request,
				       size_t size);

/* Returns the value of the header @name (in lower case), or NULL. */
const char *http_request_header(const struct http_request *request,
				const char *name);

#endif
