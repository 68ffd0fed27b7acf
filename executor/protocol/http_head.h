/* http_head.h - what the head of a request says; for http_request.c alone. */
#ifndef EXECUTOR_PROTOCOL_HTTP_HEAD_H
#define EXECUTOR_PROTOCOL_HTTP_HEAD_H

#include <stdbool.h>

#include "executor/protocol/http_message.h"

/* Refuses the request, with a static @reason; the last call counts. Always false. */
bool http_bad(struct http_request *request, unsigned status,
	      const char *reason);

/*
 * Fills in what is known from HTTP_HEAD_DONE on, from the headers and from
 * @target, which it changes. Returns false after http_bad().
 */
bool http_head_read(struct http_request *request, char *target);

#endif
