/*
 * route_common.h - what several handlers of requests need: the two ways to invoke a
 * function, and the pages that all listeners have. On the worker's thread.
 */
#ifndef EXECUTOR_SERVER_ROUTE_COMMON_H
#define EXECUTOR_SERVER_ROUTE_COMMON_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/server/exchange.h"

/* Finds the function exchange->name, and holds it. */
void route_find(struct exchange *exchange);

/* Adds an attribute to the request, unless @value is NULL or empty. */
void route_attribute(struct exchange *exchange, const char *name,
		     const char *value);

/* Adds those that both ways pass on: traceparent, tracestate, X-Amzn-Trace-Id. */
void route_common_attributes(struct exchange *exchange);

/* Starts exchange->invocation; @replied fills `out` and sends it. */
void route_invoke(struct exchange *exchange,
		  void (*replied)(struct invocation *invocation));

/* Writes why and for which name a request is refused; 256 bytes are enough. */
void route_reason(const struct exchange *exchange, char *text, size_t size);

/* Whether the request's method is GET or HEAD. */
bool route_is_get(const struct exchange *exchange);

/* Answers "OPTIONS *" with the methods @allowed. False: it is something else. */
bool route_options(struct exchange *exchange, const char *allowed);

/* Answers /livez, /healthz and /readyz. False: it is none of them. */
bool route_health(struct exchange *exchange);

/* A handler's refuse(), in plain words; @allowed are the methods for a 405. */
void route_refuse(struct exchange *exchange, const char *allowed);

/* Adds Retry-After to a response with a status that says "not now". */
void route_retry_header(struct exchange *exchange, unsigned status);

#endif
