/* message.c - see message.h. */
#include "executor/typed/message.h"

#include <errno.h>

#include "base/error.h"
#include "base/text.h"

static bool is_valid(const struct thaw_message *head, const void *bytes,
		     unsigned index, struct thaw_value *value)
{
	return thaw_message_value(head, bytes, index, value) &&
	       (value->type != THAW_TYPE_STRING ||
		text_is_utf8(value->as.string.data, value->as.string.size));
}

int message_read(const void *bytes, size_t size, uint16_t kind,
		 struct error *err, struct message *ret_message)
{
	const struct thaw_message *head = &ret_message->head;

	if (!thaw_message_open(bytes, size, kind, &ret_message->head))
		return error_set(err, -EPROTO, "%zu bytes that are no %s", size,
				 kind == THAW_MESSAGE_CALL ? "typed call" :
							     "typed result");
	for (unsigned i = 0; i < head->count; i++)
		if (!is_valid(head, bytes, i, &ret_message->values[i]))
			return error_set(err, -EPROTO,
					 "value %u is not valid, or is text "
					 "that is not UTF-8",
					 i + 1);
	return 0;
}
