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
 * Whether @function may be invoked with @request: 0; -E2BIG: larger than its
 * max_request; -EINVAL: something else is too long, or a header is none.
 */
int invoke_request_check(const struct function *function,
			 const struct thaw_invoke_request *request,
			 struct error *err);

/*
 * Writes @request, which invoke_request_check() has passed, and what else is new in the
 * info page, to @vm; the id to @reply as well. 0 or -errno.
 */
int invoke_request_write(const struct function *function, struct vm *vm,
			 const struct thaw_invoke_request *request,
			 uint64_t deadline_ns, struct thaw_reply *reply);

#endif
