/*
 * typed.c - calls typed functions: arguments from the request window, the result
 * into the reply window. See thaw_function.h, and thaw_typed.h for the bytes.
 */
#include <string.h>

#include <thaw.h>

#include "sdk.h"

extern const struct thaw_function_record __thaw_functions_start[];
extern const struct thaw_function_record __thaw_functions_end[];

THAW_ASSERT(sizeof(struct thaw_function_record) ==
		    sizeof(struct thaw_function_entry),
	    "what the image has is what the host reads");

struct thaw_registered thaw_registered;

/* Of an image without THAW_DISPATCH: the host calls it for no such image. */
__attribute__((weak)) struct thaw_value
thaw_dispatch(const struct thaw_call *call)
{
	thaw_no_such_function(call);
}

void thaw_no_such_function(const struct thaw_call *call)
{
	thaw_fail("Function.NotFound", "no such function: %s", call->name);
}

uint32_t thaw_typed_count(void)
{
	return (uint32_t)(__thaw_functions_end - __thaw_functions_start);
}

void thaw_typed_ready(void)
{
	thaw_mailbox->function_count = thaw_typed_count();
	thaw_mailbox->registered_count = thaw_registered.count;
	thaw_mailbox->registered = (uintptr_t)thaw_registered.records;
	thaw_registered.is_closed = true;
}

static _Noreturn void refuse_call(void)
{
	thaw_fail("Runtime.ProtocolError", "the call is not valid");
}

/* Leaves the result as the reply. */
static _Noreturn void end_with(const struct thaw_value *result)
{
	const bool is_void = result->type == THAW_TYPE_VOID;
	const unsigned count = is_void ? 0 : 1;
	const size_t size = thaw_message_size(result, count, 0);
	struct thaw_message head = { .kind = THAW_MESSAGE_RESULT };
	size_t capacity;
	void *to;

	if (result->type == THAW_TYPE_STRING && !result->as.string.data)
		thaw_fail("Runtime.HandlerError",
			  "the function returned NULL for a string");
	thaw_reply_reset();
	to = thaw_reply_buffer(&capacity);
	if (size && size <= capacity)
		thaw_message_write(&head, NULL, result, count, to);
	thaw_reply_commit(size ? size : SIZE_MAX);
	thaw_done();
}

static _Noreturn void dispatch_call(const struct thaw_message *head,
				    const struct thaw_value *arguments,
				    const struct thaw_request *request)
{
	const struct thaw_call call = {
		.name = (const char *)request->data + head->name,
		.arguments = arguments,
		.count = head->count,
		.returns = (enum thaw_type)head->returns,
		.request = request,
	};
	const struct thaw_value result = thaw_dispatch(&call);

	end_with(&result);
}

static bool has_types(const struct thaw_function_record *record,
		      const struct thaw_value *arguments, unsigned count)
{
	if (record->count != count || record->flags)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (arguments[i].type != (enum thaw_type)record->types[i])
			return false;
	return true;
}

/* The function of that index: the image's come first. */
static const struct thaw_function_record *find_function(uint32_t index)
{
	const uint32_t count = thaw_typed_count();

	if (index < count)
		return &__thaw_functions_start[index];
	thaw_registered.called = index - count;
	if (thaw_registered.called >= thaw_registered.count)
		refuse_call();
	return &thaw_registered.records[thaw_registered.called];
}

_Noreturn void thaw_typed_run(const struct thaw_request *request)
{
	struct thaw_value arguments[THAW_PARAMETERS_MAX], result;
	const struct thaw_function_record *record;
	struct thaw_message head;

	if (!thaw_message_open(request->data, request->size, THAW_MESSAGE_CALL,
			       &head))
		refuse_call();
	for (unsigned i = 0; i < head.count; i++)
		if (!thaw_message_value(&head, request->data, i, &arguments[i]))
			refuse_call();
	if (head.function == THAW_FUNCTION_NAMED)
		dispatch_call(&head, arguments, request);
	record = find_function(head.function);
	if (!has_types(record, arguments, head.count))
		refuse_call();
	record->call(arguments, &result);
	end_with(&result);
}
