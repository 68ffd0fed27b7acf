/* invocation_run.h - runs an invocation in its vm. See invocation_run.c. */
#ifndef EXECUTOR_SERVER_INVOCATION_RUN_H
#define EXECUTOR_SERVER_INVOCATION_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/server/invocation.h"

/*
 * Runs it in invocation->vm, or has a vm built if that is NULL. On the thread of
 * its runner, as the other calls here.
 */
void invocation_run_in_vm(struct invocation *invocation);

/*
 * Goes on with an invocation that has begun, and has slept; or that no vm is to
 * answer, but its deployment.
 */
void invocation_go_on(struct invocation *invocation);

/* Looks at those that are polled; true if there was something to do. */
bool invocations_poll(struct worker *worker, uint64_t now_ns);

#endif
