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
 * The same in two steps. invoke_start() begins the invocation, invoke_poll() looks
 * whether it has ended; both return 1 if it has, 0 if it has not, or -errno.
 * *@request is borrowed until the end.
 */
int invoke_start(struct function *function,
		 const struct thaw_invoke_request *request, struct error *err,
		 struct thaw_reply *ret_reply);
int invoke_poll(struct thaw_reply *reply, struct error *err);

/*
 * As invoke_start(), for a function that is dispatched by exits. A run that is not over
 * after @slice_ns is stopped where it is, and goes on by invoke_more() or invoke_wait().
 */
int invoke_start_slice(struct function *function,
		       const struct thaw_invoke_request *request,
		       uint64_t slice_ns, struct error *err,
		       struct thaw_reply *ret_reply);

/*
 * For callers that acquire vms themselves: begins an invocation in @vm, a clean vm of
 * the function's pool. invoke_request_check() must have passed @request, which came in
 * at @queued_ns, and invoke_typed_make() must have put the call into *@ret_reply. A
 * typed result is left to the caller: see invoke_typed_is_due(). A run that is not over
 * after @slice_ns is stopped where it is, and any thread may continue it by
 * invoke_more() or invoke_wait(); 0 sets no such limit. Returns as invoke_start(). The
 * vm goes back to the pool on failure, else by invoke_release().
 */
int invoke_on(struct function *function, struct vm *vm,
	      const struct thaw_invoke_request *request, uint64_t queued_ns,
	      uint64_t slice_ns, struct error *err,
	      struct thaw_reply *ret_reply);

/*
 * Continues the invocation for another slice or, if it is polled, to its end. Stops
 * in any case where the function sleeps. Returns as invoke_on().
 */
int invoke_more(struct thaw_reply *reply, uint64_t slice_ns, struct error *err);

/*
 * If the function sleeps: when it wants to be continued (CLOCK_MONOTONIC), by
 * invoke_more() or invoke_poll(). 0: it does not sleep.
 */
uint64_t invoke_wake_ns(const struct thaw_reply *reply);

/*
 * How many bytes invoke_release() will copy to restore the vm that @reply holds,
 * without the pages that were written for the first time.
 */
size_t invoke_restore_bytes(const struct thaw_reply *reply);

/* Waits for the end of an invocation. Returns 0, or -errno as invoke_poll(). */
int invoke_wait(struct thaw_reply *reply, struct error *err);

/* Restores the reply's vm and gives it back to the pool. */
void invoke_release(struct thaw_reply *reply);

#endif
