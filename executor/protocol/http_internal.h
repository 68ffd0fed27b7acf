/*
 * http_internal.h - between http_request.c, which takes a request's bytes, and
 * http_head.c, which makes sense of its head.
 */
#ifndef EXECUTOR_PROTOCOL_HTTP_INTERNAL_H
#define EXECUTOR_PROTOCOL_HTTP_INTERNAL_H

#include <stdbool.h>

#include "executor/protocol/http_request.h"

/* Always false. The last call counts. @reason stays the caller's. */
bool http_bad(struct http_request *request, unsigned status,
	      const char *reason);

/*
 * Fills in what is known from HTTP_HEAD_DONE on. @target and the headers are
 * there. Returns false after http_bad().
 */
bool http_head_read(struct http_request *request, char *target);

#endif
