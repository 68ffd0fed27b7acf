/* invocation_internal.h - between invocation.c and invocation_run.c. */
#ifndef EXECUTOR_SERVER_INVOCATION_INTERNAL_H
#define EXECUTOR_SERVER_INVOCATION_INTERNAL_H

#include <stddef.h>

#include "executor/server/invocation.h"

/*
 * invocation.c: puts it into its runner's queue; on the runner's thread. As the
 * first of its function, if it has waited already.
 */
void invocation_queue(struct invocation *invocation);
void invocation_queue_first(struct invocation *invocation);

/*
 * On the runner's thread: runs it in invocation->vm, or has a vm made, if that is
 * NULL; and goes on with one that has begun, and slept.
 */
void invocation_execute(struct invocation *invocation);
void invocation_wake(struct invocation *invocation);

/*
 * It has ended (result 0) or failed, on the thread of @runner, or, if that is
 * NULL, on another one: replies, and has the vm restored.
 */
void invocation_finish(struct invocation *invocation, struct worker *runner);

/* Counts, and logs, what it has come to; any thread. */
void invocation_account(const struct invocation *invocation);

/* Looks at those that run by themselves; true if there was something to do. */
bool invocations_look(struct worker *worker, uint64_t now_ns);

#endif
