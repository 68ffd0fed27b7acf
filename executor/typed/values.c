/* values.c - see values.h. */
#include "executor/typed/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "executor/typed/message.h"

static int check_values(const struct typed_values *call, struct error *err)
{
	const char *name = call->name;
	const size_t count = call->count;

	if (!name || !*name || strlen(name) >= THAW_NAME_MAX)
		return error_set(err, -EINVAL,
				 "the name of a typed function has 1 to %d "
				 "characters",
				 THAW_NAME_MAX - 1);
	if (count > THAW_PARAMETERS_MAX)
		return error_set(err, -EINVAL,
				 "%zu arguments; a call has %d at most", count,
				 THAW_PARAMETERS_MAX);
	for (size_t i = 0; i < count; i++)
		if (call->values[i].type <= THAW_TYPE_NONE ||
		    call->values[i].type >= THAW_TYPE_VOID)
			return error_set(err, -EINVAL,
					 "argument %zu has type %d, which no "
					 "parameter has",
					 i + 1, (int)call->values[i].type);
	return 0;
}

int typed_values_pack(const struct typed_values *call, struct error *err,
		      void **ret_message, size_t *ret_size)
{
	const unsigned count = (unsigned)call->count;
	struct thaw_message head = {
		.kind = THAW_MESSAGE_CALL,
		.function = THAW_FUNCTION_NAMED,
		.returns = (uint16_t)call->returns,
	};
	int r = check_values(call, err);
	size_t size;

	if (r)
		return r;
	size = thaw_message_size(call->values, count, strlen(call->name));
	if (!size)
		return error_set(err, -E2BIG,
				 "the arguments are larger than any function "
				 "may take");
	*ret_message = malloc(size);
	if (!*ret_message)
		return error_set(err, -ENOMEM, "no memory for a typed call");
	thaw_message_write(&head, call->name, call->values, count,
			   *ret_message);
	*ret_size = size;
	return 0;
}

int typed_values_unpack(const void *message, size_t size, struct error *err,
			struct thaw_value *ret_value)
{
	struct message result;
	int r = message_read(message, size, THAW_MESSAGE_RESULT, err, &result);

	if (r)
		return r;
	if (result.head.count > 1)
		return error_set(err, -EPROTO, "%u values for a result",
				 result.head.count);
	ret_value->type = THAW_TYPE_VOID;
	if (result.head.count)
		*ret_value = result.values[0];
	return 0;
}
