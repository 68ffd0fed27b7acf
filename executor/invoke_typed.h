/*
 * invoke_typed.h - invocations whose requests are typed calls. For invoke.c, and for
 * those who take care of vms themselves.
 */
#ifndef EXECUTOR_INVOKE_TYPED_H
#define EXECUTOR_INVOKE_TYPED_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/libthaw.h"

struct error;
struct function;

/*
 * Makes a typed call of @request, if @function takes such, before a vm is taken for it.
 * @reply keeps the call until the invocation that is begun with both is released, or
 * until invoke_typed_drop(). Takes time in proportion to the request's size. Errors as
 * typed_call_make(); -E2BIG: the call is larger than max_request.
 */
int invoke_typed_make(const struct function *function,
		      const struct thaw_invoke_request *request,
		      struct error *err, struct thaw_reply *ret_reply);

/* The invocation will not begin: frees the call, if @reply keeps any. */
void invoke_typed_drop(struct thaw_reply *reply);

/* The most bytes of memory that invoke_typed_make() takes for a call of @request. */
size_t invoke_typed_memory(const struct function *function,
			   const struct thaw_invoke_request *request);

/*
 * Whether the reply of an invocation that has ended is a typed result that has not been
 * taken: its data and size are the bytes that the guest has left, not yet checked.
 */
bool invoke_typed_is_due(const struct thaw_reply *reply);

/*
 * Takes such a result, and makes of it what the caller wants. Takes time in proportion
 * to the reply's size. One that is not valid makes the reply an error.
 */
void invoke_typed_take(struct thaw_reply *reply);

/*
 * Takes the memory of the reply's data, a result, away from the reply; the caller frees
 * it. NULL: the data are elsewhere.
 */
void *invoke_typed_take_memory(struct thaw_reply *reply);

/* The name of the handler or of the typed function that was called. */
const char *invoke_typed_handler(const struct thaw_reply *reply);

#endif
