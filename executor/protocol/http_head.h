/* http_head.h - what the head of a request says. For http_request.c. */
#ifndef EXECUTOR_PROTOCOL_HTTP_HEAD_H
#define EXECUTOR_PROTOCOL_HTTP_HEAD_H

#include <stdbool.h>

#include "executor/protocol/http_message.h"

/* Always false. The last call counts. @reason stays the caller's. */
bool http_bad(struct http_request *request, unsigned status,
	      const char *reason);

/*
 * Fills in what is known from HTTP_HEAD_DONE on. @target and the headers are
 * there. Returns false after http_bad().
 */
bool http_head_read(struct http_request *request, char *target);

#endif
