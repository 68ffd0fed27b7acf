/* invoke_typed.h - invocations whose requests are typed calls. For invoke.c. */
#ifndef EXECUTOR_INVOKE_TYPED_H
#define EXECUTOR_INVOKE_TYPED_H

#include <stddef.h>

#include "executor/libthaw.h"

struct error;

/*
 * Makes a typed call of the invocation's request, before the guest knows of it; the
 * state keeps it. Errors as typed_call_make(); -E2BIG: it is larger than max_request.
 */
int invoke_typed_make(struct thaw_reply *reply, struct error *err);

/*
 * Takes what the function has returned, in @size bytes of the reply window, as the
 * caller wants it. Returns NULL, or the type of the error that the invocation ends
 * with, and its message.
 */
const char *invoke_typed_take(struct thaw_reply *reply, size_t size,
			      struct error *ret_message);

/* The name of the handler or of the typed function that was called. */
const char *invoke_typed_handler(const struct thaw_reply *reply);

#endif
