/* result.h - the results of typed calls. See call.h. */
#ifndef EXECUTOR_TYPED_RESULT_H
#define EXECUTOR_TYPED_RESULT_H

#include <stddef.h>

#include "executor/typed/call.h"

#define TYPED_JSON_CONTENT_TYPE "application/json"

/*
 * Takes the result that a guest has left in the @size bytes at @reply, which it may
 * still change: they are copied once, and checked against what the function declares.
 * The call's message is then what its caller gets: {"result":42}, or the message.
 * -EPROTO: it is not valid; -E2BIG: as JSON it has more than @max bytes; -ENOMEM.
 */
int typed_result_take(struct typed_call *call, const void *reply, size_t size,
		      size_t max, struct error *err);

#endif
