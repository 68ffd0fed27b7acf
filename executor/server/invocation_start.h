/* invocation_start.h - starts invocations, and runs those that wait. */
#ifndef EXECUTOR_SERVER_INVOCATION_START_H
#define EXECUTOR_SERVER_INVOCATION_START_H

#include <stdbool.h>

#include "executor/server/invocation.h"

/* Starts it, on its worker's thread; replied() may be called at once. */
void invocation_start(struct invocation *invocation);

/*
 * Nobody waits for its reply any more: it does not begin if it has not. On its
 * worker's thread, from invocation_start() until ended(), which may be called at
 * once. Before and after that it does nothing.
 */
void invocation_abandon(struct invocation *invocation);

/*
 * Runs what @worker has waiting, a few at most, and looks at what is polled.
 * False: there is nothing more, so the worker may sleep.
 */
bool invocations_run(struct worker *worker);

#endif
