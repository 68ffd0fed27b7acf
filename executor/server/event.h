/*
 * event.h - Event invocations: accepted now, run soon, by themselves.
 *
 * They are kept in memory, a bounded number at a time: what was accepted is counted
 * until it is done or dropped, and each drop is logged. Each function has a line of
 * them (event_line.h), which moves on as its vms become free. An event that fails
 * is tried again a few times, after longer and longer waits.
 */
#ifndef EXECUTOR_SERVER_EVENT_H
#define EXECUTOR_SERVER_EVENT_H

#include <stdint.h>

#include "base/error.h"
#include "executor/libthaw.h"
#include "executor/server/deployment.h"

struct worker;

/*
 * Accepts @request, which has an id, for @deployment, and copies it. On @worker's
 * thread. 0; -EBUSY: too many wait, see event_line_enter(); -E2BIG: the payload is
 * too large; -ENOMEM.
 */
int event_accept(struct worker *worker, struct deployment *deployment,
		 const struct thaw_invoke_request *request, struct error *err);

/*
 * How long an event rests: after @failures, 1 s, 2 s, 4 s and so on up to 60 s;
 * after @refusals in a row, 10 ms up to 100 ms. @random makes that up to a half more
 * or less, so that events that fail together do not come back together.
 */
uint64_t event_retry_ns(unsigned failures, uint64_t random);
uint64_t event_refused_ns(unsigned refusals, uint64_t random);

/* Tries what rests now, since the server drains. */
void events_hurry(struct worker *worker);

/* Drops what is left, and logs that. Nothing runs any more. */
void events_drop_all(struct worker *worker);

#endif
