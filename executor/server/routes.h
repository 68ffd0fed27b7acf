/* routes.h - between routes.c and lambda_routes.c: the two kinds of doors. */
#ifndef EXECUTOR_SERVER_ROUTES_H
#define EXECUTOR_SERVER_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/server/exchange.h"

/* Finds exchange->name; the function is held. */
void route_find(struct exchange *exchange);

/* An attribute of the request, if @value is not NULL or empty. */
void route_attribute(struct exchange *exchange, const char *name,
		     const char *value);

/* Those that both doors pass on: traceparent, tracestate, X-Amzn-Trace-Id. */
void route_common_attributes(struct exchange *exchange);

/* Starts exchange->invocation; @replied fills `out` and sends it. */
void route_invoke(struct exchange *exchange,
		  void (*replied)(struct invocation *invocation));

struct exchange *exchange_of(struct invocation *invocation);

/* "Server-Timing: queue;dur=0.010, run;dur=0.061, restore;dur=0.005", in ms. */
void respond_timing(struct exchange *exchange);

/* "1.234" of 1,234 us: milliseconds. */
void write_ms(struct buffer *out, uint64_t ns);

/* Answers "OPTIONS *" with the methods that this door has. False: it is something else. */
bool route_options(struct exchange *exchange, const char *allowed);

/* Answers /livez, /healthz and /readyz. False: it is none of them. */
bool route_health(struct exchange *exchange);

/* Why it is refused, and of what: @size bytes of text, some hundred are enough. */
void route_reason(const struct exchange *exchange, char *text, size_t size);

/* lambda_routes.c: the AWS API. */
void lambda_route_head(struct exchange *exchange);
void lambda_route(struct exchange *exchange);
void lambda_route_refuse(struct exchange *exchange);

#endif
