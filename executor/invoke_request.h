/* invoke_request.h - writes requests into guests. See invoke.h, which checks them. */
#ifndef EXECUTOR_INVOKE_REQUEST_H
#define EXECUTOR_INVOKE_REQUEST_H

#include <stdint.h>

#include "executor/function.h"
#include "executor/libthaw.h"

/*
 * Writes @request, which invoke_check() has passed, and what else is new in the
 * info page, to @vm; the id to @reply as well. 0 or -errno.
 */
int invoke_put_request(const struct function *function, struct vm *vm,
		       const struct thaw_invoke_request *request,
		       uint64_t deadline_ns, struct thaw_reply *reply);

#endif
