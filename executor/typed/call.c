/* call.c - see call.h. */
#include "executor/typed/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hot.h"
#include "executor/typed/call_json.h"
#include "executor/typed/message.h"
#include "vm/image/declarations.h"

static int check_types(const struct declaration *function,
		       const struct thaw_value *values, unsigned count,
		       struct error *err)
{
	int r = typed_target_check_count(function, count, err);

	for (unsigned i = 0; !r && function && i < count; i++) {
		const unsigned given = values[i].type;

		if (given != function->types[i])
			r = typed_target_refuse(function, i,
						type_name(function->types[i]),
						type_name(given), err);
	}
	return r;
}

/* A message always has its name; a path does not count. */
static const char *name_of(const struct typed_request *request,
			   const struct thaw_message *head)
{
	return (const char *)request->data + head->name;
}

/* The type of a dispatch function's result is known when that is there. */
static int take_returns(const struct thaw_message *head, struct error *err,
			struct typed_call *call)
{
	const struct declaration *function = call->function;

	call->returns = (uint8_t)head->returns;
	if (!function)
		return 0;
	if (head->returns != THAW_TYPE_NONE &&
	    head->returns != function->returns)
		return error_set(err, -EINVAL, "%s: returns %s, and not %s",
				 function->name, type_name(function->returns),
				 type_name(head->returns));
	call->returns = function->returns;
	return 0;
}

static int check_message(const struct typed_target *target,
			 const struct typed_request *request, struct error *err,
			 struct typed_call *call)
{
	struct message message;
	const struct thaw_message *head = &message.head;
	int r = message_read(request->data, request->size, THAW_MESSAGE_CALL,
			     err, &message);

	/* what has no index is what only a host may write */
	if (!r && head->function != THAW_FUNCTION_NAMED)
		r = error_set(err, -EPROTO, "a call by index");
	if (r)
		return error_prefix(err, -EINVAL, "the typed call");
	r = typed_target_find(target, name_of(request, head), err,
			      &call->function);
	if (!r)
		r = check_types(call->function, message.values, head->count,
				err);
	return r ? r : take_returns(head, err, call);
}

static int write_message(const struct call_json *json, struct typed_call *call)
{
	const char *name = json->function ? NULL : json->name;
	const size_t size = thaw_message_size(json->values, json->count,
					      name ? strlen(name) : 0);
	struct thaw_message head = {
		.kind = THAW_MESSAGE_CALL,
		.function = json->function ? json->function->index :
					     THAW_FUNCTION_NAMED,
	};

	call->memory = size ? malloc(size) : NULL;
	if (!call->memory)
		return -ENOMEM;
	thaw_message_write(&head, name, json->values, json->count,
			   call->memory);
	call->message = call->memory;
	call->size = size;
	return 0;
}

static int make_of_json(const struct typed_target *target,
			const struct typed_request *request, struct error *err,
			struct typed_call *call)
{
	char *room = malloc(request->size + CALL_JSON_ROOM);
	struct call_json json = { .count = 0 };
	int r;

	if (!room)
		return error_set(err, -ENOMEM, "no memory for a typed call");
	r = call_json_read(target, request, room, err, &json);
	call->function = json.function;
	if (json.function)
		call->returns = json.function->returns;
	if (!r && write_message(&json, call))
		r = error_set(err, -ENOMEM, "no memory for a typed call");
	free(room);
	return r;
}

int typed_call_make(const struct typed_target *target,
		    const struct typed_request *request, struct error *err,
		    struct typed_call *ret_call)
{
	*ret_call = (struct typed_call){
		.message = request->data,
		.size = request->size,
		.is_message = request->is_message,
	};
	return request->is_message ?
		       check_message(target, request, err, ret_call) :
		       make_of_json(target, request, err, ret_call);
}

/* Its texts and bytes are twice in memory for a time: as they were read, and packed. */
size_t typed_call_memory(size_t size)
{
	return 2 * size + CALL_JSON_ROOM + THAW_MESSAGE_HEAD_MAX;
}

HOT void typed_call_done(struct typed_call *call)
{
	/* the hot path calls nothing of malloc's, not even to free nothing */
	if (call->memory)
		free(call->memory);
	call->memory = NULL;
	call->message = NULL;
	call->size = 0;
}
