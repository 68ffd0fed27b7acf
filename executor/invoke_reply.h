/*
 * invoke_reply.h - makes a reply of what a guest has left, or of what has become of it.
 * For invoke*.c.
 */
#ifndef EXECUTOR_INVOKE_REPLY_H
#define EXECUTOR_INVOKE_REPLY_H

#include "executor/libthaw.h"

struct function;
struct vm;

/*
 * Takes the reply of a guest that says it is done: status, data, and, unless the
 * function is typed, what belongs to HTTP. What is not valid makes it a failure.
 */
void invoke_reply_take(const struct function *function, struct vm *vm,
		       struct thaw_reply *reply);

/* Makes it a failure: @result, with a type and a message. */
void invoke_reply_fail(struct thaw_reply *reply, enum thaw_result result,
		       const char *type, const char *message);

#endif
