/*
 * invoke_request.h - checks requests, and writes them into guests. On the thread
 * that invokes.
 */
#ifndef EXECUTOR_INVOKE_REQUEST_H
#define EXECUTOR_INVOKE_REQUEST_H

#include <stdint.h>

#include "executor/function.h"
#include "executor/libthaw.h"
#include "executor/linux/device_line.h"
#include "vm/vm.h"

/*
 * Returns 0 if @function may be invoked with @request. -E2BIG: it is larger than the
 * function's max_request; -EINVAL: something else is too long, a header is not
 * valid, or it is no call for a program that asks for calls at /dev/thaw.
 */
int invoke_request_check(const struct function *function,
			 const struct thaw_invoke_request *request,
			 struct error *err);

/*
 * Writes @request and the rest of what is new in the info page to @vm, where it is @now,
 * and the request's id to @reply. invoke_request_check() must have passed @request. Returns 0
 * or -errno.
 */
int invoke_request_write(const struct function *function, struct vm *vm,
			 const struct thaw_invoke_request *request,
			 const struct vm_moment *now, uint64_t deadline_ns,
			 struct thaw_reply *reply);

/* The name of the function that the request's path has: "/add" is "add"; or NULL. */
const char *invoke_request_function(const struct thaw_invoke_request *request);

/* The request as a call by /dev/thaw; @request owns what it points to. */
struct device_call
invoke_request_call(const struct thaw_invoke_request *request);

/*
 * Sets the reply's id: the request's, or one made of @number, which is random. Returns
 * its size in bytes, with the zero.
 */
size_t invoke_request_name(const struct thaw_invoke_request *request,
			   uint64_t number, struct thaw_reply *reply);

#endif
