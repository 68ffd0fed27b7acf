/* invoke_typed.c - see invoke_typed.h, and typed/call.h for what is behind it. */
#include "executor/invoke_typed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hot.h"
#include "executor/function.h"
#include "executor/invoke_request.h"
#include "executor/invoke_state.h"
#include "executor/typed/call.h"
#include "executor/typed/message.h"
#include "executor/typed/result.h"
#include "snapshot/snapshot.h"
#include "vm/image/declarations.h"
#include "vm/vm.h"

static int make_call(const struct function *function,
		     const struct thaw_invoke_request *request,
		     struct error *err, struct typed_call *call)
{
	const struct typed_request typed = {
		.data = request->data,
		.size = request->size,
		.is_message = message_has_type(request->content_type),
		.name = invoke_request_function(request),
	};
	const struct typed_target target = {
		.functions = &function->functions,
		.only = function->typed_only,
	};
	int r = typed_call_make(&target, &typed, err, call);

	if (!r && call->size > function->spec->max_request)
		r = error_set(err, -E2BIG,
			      "a typed call of %zu bytes is larger than its "
			      "max_request of %zu",
			      call->size, function->spec->max_request);
	return r;
}

HOT int invoke_typed_make(const struct function *function,
			  const struct thaw_invoke_request *request,
			  struct error *err, struct thaw_reply *ret_reply)
{
	struct typed_call *call = &invoke_state(ret_reply)->typed;
	int r;

	*call = (struct typed_call){ .function = NULL };
	if (!function->is_typed)
		return 0;
	r = make_call(function, request, err, call);
	if (!r)
		return 0;
	typed_call_done(call);
	return error_prefix(err, r, "function %s", function->spec->name);
}

void invoke_typed_drop(struct thaw_reply *reply)
{
	typed_call_done(&invoke_state(reply)->typed);
}

size_t invoke_typed_memory(const struct function *function,
			   const struct thaw_invoke_request *request)
{
	return function->is_typed && !message_has_type(request->content_type) ?
		       typed_call_memory(request->size) :
		       0;
}

HOT bool invoke_typed_is_due(const struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);

	return state->vm && state->function->is_typed &&
	       reply->result == THAW_OK && !state->typed.has_result;
}

static void fail(struct thaw_reply *reply, const char *type,
		 const char *message)
{
	reply->result = THAW_ERROR;
	reply->data = NULL;
	reply->size = 0;
	strcpy(reply->error_type, type);
	snprintf(reply->error_message, sizeof(reply->error_message), "%s",
		 message);
}

void invoke_typed_take(struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);
	struct typed_call *call = &invoke_state(reply)->typed;
	struct error err;
	int r = typed_result_take(call, reply->data, reply->size,
				  snapshot_layout(state->function->snapshot)
					  ->reply_max,
				  &err);

	if (r == -E2BIG) {
		fail(reply, "Function.ResponseSizeTooLarge", err.message);
		return;
	}
	if (r) {
		error_prefix(&err, r, "the function's result");
		fail(reply, "Function.InvalidResponse", err.message);
		return;
	}
	strcpy(reply->content_type, call->is_message ? THAW_TYPED_CONTENT_TYPE :
						       TYPED_JSON_CONTENT_TYPE);
	reply->data = call->message;
	reply->size = call->size;
}

void *invoke_typed_take_memory(struct thaw_reply *reply)
{
	struct typed_call *call = &invoke_state(reply)->typed;
	void *memory = call->has_result ? call->memory : NULL;

	if (memory)
		call->memory = NULL;
	return memory;
}

const char *invoke_typed_handler(const struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;

	return function->is_typed && state->typed.function ?
		       state->typed.function->name :
		       function->handler_name;
}
