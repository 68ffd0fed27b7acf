/*
 * invoke_request.h - checks requests, and writes them into guests. On the thread
 * that invokes.
 */
#ifndef EXECUTOR_INVOKE_REQUEST_H
#define EXECUTOR_INVOKE_REQUEST_H

#include <stdint.h>

#include "executor/function.h"
#include "executor/libthaw.h"

/*
 * Returns 0 if @function may be invoked with @request. -E2BIG: it is larger than the
 * function's max_request; -EINVAL: something else is too long, or a header is not
 * valid.
 */
int invoke_request_check(const struct function *function,
			 const struct thaw_invoke_request *request,
			 struct error *err);

/*
 * Writes @request and the rest of what is new in the info page to @vm, and the
 * request's id to @reply. invoke_request_check() must have passed @request. Returns 0
 * or -errno.
 */
int invoke_request_write(const struct function *function, struct vm *vm,
			 const struct thaw_invoke_request *request,
			 uint64_t deadline_ns, struct thaw_reply *reply);

#endif
