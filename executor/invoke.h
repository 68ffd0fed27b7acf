/*
 * invoke.h - one invocation: request in, run, reply out, restore. The hot
 * path, which goes on in vm/run.c and snapshot/restore.c.
 */
#ifndef EXECUTOR_INVOKE_H
#define EXECUTOR_INVOKE_H

#include "base/error.h"
#include "executor/function.h"
#include "executor/libthaw.h"

/*
 * Invokes @function on this thread. On success *@ret_reply holds a vm until
 * invoke_release(). Errors as thaw_invoke().
 */
int invoke(struct function *function, const struct thaw_invoke_request *request,
	   struct error *err, struct thaw_reply *ret_reply);

/*
 * The same in two steps: begins, and 0 if it has not ended yet, 1 if it has; and
 * looks whether it has. *@request is borrowed until it has ended.
 */
int invoke_start(struct function *function,
		 const struct thaw_invoke_request *request, struct error *err,
		 struct thaw_reply *ret_reply);
int invoke_poll(struct thaw_reply *reply, struct error *err);

/*
 * For those who take care of vms themselves: begins a request, which
 * invoke_request_check() has passed, on @vm, which is the function's pool's, and clean, for a request that came in at
 * @queued_ns. A run that is not over after @slice_ns (0: no matter) is stopped
 * where it is, and goes on with invoke_wait(), on any thread. Returns as
 * invoke_start(); the vm goes back to the pool by invoke_release(), or on failure.
 */
int invoke_on(struct function *function, struct vm *vm,
	      const struct thaw_invoke_request *request, uint64_t queued_ns,
	      uint64_t slice_ns, struct error *err,
	      struct thaw_reply *ret_reply);

/*
 * Goes on with it for another slice, or, if it is polled, until it has ended;
 * but not through a sleep. As invoke_on().
 */
int invoke_more(struct thaw_reply *reply, uint64_t slice_ns, struct error *err);

/*
 * The function sleeps, until then (CLOCK_MONOTONIC): to be gone on with at that
 * time, by invoke_more() or invoke_poll(). 0: it does not.
 */
uint64_t invoke_wake_ns(const struct thaw_reply *reply);

/*
 * How much memory invoke_release() will copy, of a reply that holds a vm, in bytes:
 * all but what was written for the first time.
 */
size_t invoke_restore_bytes(const struct thaw_reply *reply);

/* Waits until what was begun has ended. 0, or -errno as invoke_poll(). */
int invoke_wait(struct thaw_reply *reply, struct error *err);

/* Restores the reply's vm and gives it back to the pool. */
void invoke_release(struct thaw_reply *reply);

#endif
