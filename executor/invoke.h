/*
 * invoke.h - one invocation: request in, run, reply out, restore. The hot
 * path, which goes on in vm/vm.c and snapshot/restore.c.
 */
#ifndef EXECUTOR_INVOKE_H
#define EXECUTOR_INVOKE_H

#include "executor/function.h"
#include "executor/libthaw.h"
#include "vm/error.h"

/*
 * Invokes @function on this thread. On success *@ret_reply holds a vm until
 * invoke_done(). Errors as thaw_invoke().
 */
int invoke(struct function *function, const struct thaw_request *request,
	   struct error *err, struct thaw_reply *ret_reply);

/*
 * The same in two steps: begins, and 0 if it has not ended yet, 1 if it has; and
 * looks whether it has. *@request is borrowed until it has ended.
 */
int invoke_start(struct function *function, const struct thaw_request *request,
		 struct error *err, struct thaw_reply *ret_reply);
int invoke_poll(struct thaw_reply *reply, struct error *err);

/* Restores the reply's vm and gives it back to the pool. */
void invoke_done(struct thaw_reply *reply);

#endif
