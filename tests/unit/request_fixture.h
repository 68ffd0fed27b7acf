/* request_fixture.h - requests as http_request_parse() leaves them, for tests. */
#ifndef TESTS_UNIT_REQUEST_FIXTURE_H
#define TESTS_UNIT_REQUEST_FIXTURE_H

#include "executor/protocol/http_request.h"

/*
 * A request for @path with "?query" or without, and with headers: names and
 * values in turn, and a NULL. All are borrowed; there is one request, which the
 * next call makes anew.
 */
struct http_request *request_fixture(enum http_method method, const char *path,
				     ...) __attribute__((sentinel));

/* Its body. */
void request_fixture_body(struct http_request *request, const char *body,
			  size_t size);

#endif
