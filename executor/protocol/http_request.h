/*
 * http_request.h - one HTTP/1.1 request (RFC 9112), parsed as it arrives.
 *
 *	http_request_init(request, account);
 *	... bytes arrive:
 *	switch (http_request_parse(request, data, size, &used)) {
 *	case HTTP_MORE:			all bytes used; more are needed
 *	case HTTP_HEAD_DONE:		headers are there: decide on max_body,
 *					then parse the rest of the bytes
 *	case HTTP_DONE:			the request is whole; bytes behind it
 *					belong to the next
 *	case HTTP_BAD:			answer request->bad_status and close
 *	}
 *	http_request_reset(request);	before the next request
 *	http_request_done(request);	after the last
 *
 * No I/O and no state beyond the struct; one thread at a time. llhttp parses the
 * head, in its strict mode; lines, chunks and limits are ours.
 */
#ifndef EXECUTOR_PROTOCOL_HTTP_REQUEST_H
#define EXECUTOR_PROTOCOL_HTTP_REQUEST_H

#include <stddef.h>

#include "base/budget.h"
#include "executor/protocol/http_message.h"

/*
 * Prepares for a first request, whose memory @account pays for (NULL: nobody).
 * The struct must not be moved from here to http_request_done().
 */
void http_request_init(struct http_request *request,
		       struct budget_account *account);

/* Prepares for another one; memory of HTTP_KEPT_MAX bytes may stay. */
void http_request_reset(struct http_request *request);

/* Frees the body, which is not needed any more. */
void http_request_drop_body(struct http_request *request);

/* Frees its memory; the struct stays the caller's. Safe to call again. */
void http_request_done(struct http_request *request);

/* What is allocated for it, in bytes. */
size_t http_request_memory(const struct http_request *request);

/*
 * Takes up to @size bytes; *@ret_used says how many. Strings and body are the
 * request's, valid until http_request_reset().
 */
enum http_progress http_request_parse(struct http_request *request,
				      const void *data, size_t size,
				      size_t *ret_used);

/* The value of the header called @name (lower case), or NULL. */
const char *http_request_header(const struct http_request *request,
				const char *name);

#endif
