/*
 * http_fixture.h - requests for tests: fed in pieces, and their outcome.
 */
#ifndef TESTS_UNIT_HTTP_FIXTURE_H
#define TESTS_UNIT_HTTP_FIXTURE_H

#include "executor/protocol/http_request.h"

#define POST_HEAD "POST /f HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST_HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define ROOM (HTTP_HEAD_MAX + HTTP_CHUNK_OVERHEAD_MAX + 1024)

extern struct http_request request;
extern size_t max_body;
extern char *text; /* ROOM bytes for long requests */

/* Around each test. */
void http_begin(void);
void http_end(void);

/*
 * Parses @size bytes more, from memory of their own size, so that reading
 * behind them is noticed. Sets max_body where it is asked for.
 */
enum http_progress parse(const char *data, size_t size, size_t *ret_used);

/* A request of its own, in pieces of @piece bytes; *ret_used: all of them. */
enum http_progress feed(const char *data, size_t size, size_t piece,
			size_t *ret_used);

/*
 * What becomes of the request @data, whole and byte by byte: the status of its
 * refusal; 0: it is whole, -1: more is needed.
 */
void status_is(const char *data, int status);

void body_is(const char *body);

#endif
