/*
 * event.h - Event invocations: accepted now, run soon, by themselves.
 *
 * They are kept in memory, so many at a time and no longer: what was accepted
 * is counted until it is done or dropped, and a drop is logged. Each function has
 * a line of them (event_line.h), which is fed as its vms become free. A function
 * that fails is tried again, a few times and later each time.
 */
#ifndef EXECUTOR_SERVER_EVENT_H
#define EXECUTOR_SERVER_EVENT_H

#include <stdint.h>

#include "executor/server/exchange.h"
#include "executor/server/worker.h"

/*
 * Accepts the request of @exchange, copying it. 0; -EBUSY: too many wait, see event_line_enter();
 * -E2BIG: the payload is too large; -ENOMEM.
 */
int event_accept(struct exchange *exchange,
		 const struct thaw_invoke_request *request, struct error *err);

/*
 * How long an event rests: which has failed so often, 1 s, 2 s, 4 s and so on up to
 * 60 s; whose start was refused so often in a row, 10 ms up to 100 ms. Up to a
 * half of that more or less, by @random, so that those that fail together do not
 * come back together.
 */
uint64_t event_retry_ns(unsigned failures, uint64_t random);
uint64_t event_refused_ns(unsigned refusals, uint64_t random);

/* What rests is tried now: the server drains. */
void events_hurry(struct worker *worker);

/* Drops what is left, and logs it. Nothing runs any more. */
void events_drop_all(struct worker *worker);

#endif
