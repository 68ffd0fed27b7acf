/*
 * http_internal.h - between http_request.c, which takes a request's bytes,
 * http_lines.c, which looks at its lines, and http_head.c, which makes sense of
 * its head.
 */
#ifndef EXECUTOR_SERVER_HTTP_INTERNAL_H
#define EXECUTOR_SERVER_HTTP_INTERNAL_H

#include <stdbool.h>

#include "executor/server/http_request.h"

/* Always false. The last call counts. @reason stays the caller's. */
bool http_bad(struct http_request *request, unsigned status,
	      const char *reason);

/*
 * Looks at the bytes from lines.unchecked to @end, none of which belong to the
 * body. Returns false after http_bad().
 */
bool http_lines_check(struct http_request *request, const char *end);

/*
 * Fills in what is known from HTTP_HEAD_DONE on. @target and the headers are
 * there. Returns false after http_bad().
 */
bool http_head_read(struct http_request *request, char *target);

#endif
