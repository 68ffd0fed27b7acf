/* invoke_typed.c - see invoke_typed.h, and typed/call.h for what is behind it. */
#include "executor/invoke_typed.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "executor/function.h"
#include "executor/invoke_state.h"
#include "executor/typed/call.h"
#include "executor/typed/result.h"
#include "snapshot/snapshot.h"
#include "vm/image/declarations.h"
#include "vm/vm.h"

/* "/add" is the function "add". */
static const char *called_name(const struct thaw_invoke_request *request)
{
	for (size_t i = 0; i < request->attribute_count; i++)
		if (!strcmp(request->attributes[i].name, "path"))
			return request->attributes[i].value +
			       (*request->attributes[i].value == '/');
	return NULL;
}

int invoke_typed_make(struct thaw_reply *reply, struct error *err)
{
	struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;
	const struct thaw_invoke_request *request = state->request;
	const struct typed_request typed = {
		.data = request->data,
		.size = request->size,
		.is_message =
			request->content_type &&
			!strcmp(request->content_type, THAW_TYPED_CONTENT_TYPE),
		.name = called_name(request),
	};
	const struct typed_target target = {
		.functions = image_functions(function->image),
		.only = function->typed_only,
	};
	int r = typed_call_make(&target, &typed, err, &state->typed);

	if (!r && state->typed.size > function->spec->max_request)
		r = error_set(err, -E2BIG,
			      "a typed call of %zu bytes is larger than its "
			      "max_request of %zu",
			      state->typed.size, function->spec->max_request);
	if (!r)
		return 0;
	typed_call_done(&state->typed);
	return error_prefix(err, r, "function %s", function->spec->name);
}

const char *invoke_typed_take(struct thaw_reply *reply, size_t size,
			      struct error *ret_message)
{
	struct invoke_state *state = invoke_state(reply);
	const struct layout *layout =
		snapshot_layout(state->function->snapshot);
	struct typed_call *call = &state->typed;
	int r = typed_result_take(call,
				  vm_view(state->vm, layout->reply.start, size),
				  size, layout->reply_max, ret_message);

	if (r == -E2BIG)
		return "Function.ResponseSizeTooLarge";
	if (r) {
		error_prefix(ret_message, r, "the function's result");
		return "Function.InvalidResponse";
	}
	strcpy(reply->content_type, call->is_message ? THAW_TYPED_CONTENT_TYPE :
						       TYPED_JSON_CONTENT_TYPE);
	reply->result = THAW_OK;
	reply->data = call->message;
	reply->size = call->size;
	return NULL;
}

const char *invoke_typed_handler(const struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;

	return function->is_typed && state->typed.function ?
		       state->typed.function->name :
		       function->handler_name;
}
