/*
 * event.h - Event invocations: accepted now, run soon, by themselves.
 *
 * They are kept in memory, so many at a time and no longer: what was accepted
 * is counted until it is done or dropped, and a drop is logged. A function that
 * fails is tried again, a few times and later each time; one that is throttled
 * until the event is too old.
 */
#ifndef EXECUTOR_SERVER_EVENT_H
#define EXECUTOR_SERVER_EVENT_H

#include <stdint.h>

#include "executor/server/exchange.h"
#include "executor/server/worker.h"

/*
 * Accepts the request of @exchange, copying it. 0; -EBUSY: there are too many;
 * -E2BIG: the payload is too large; -ENOMEM.
 */
int event_accept(struct exchange *exchange, const struct thaw_request *request,
		 struct error *err);

/* What waits to be tried again is tried now: the server drains. */
void events_hurry(struct worker *worker);

/* Drops what is left, and logs it. Nothing runs any more. */
void events_drop_all(struct worker *worker);

#endif
