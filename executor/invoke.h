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

/* Restores the reply's vm and gives it back to the pool. */
void invoke_done(struct thaw_reply *reply);

#endif
