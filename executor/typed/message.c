/* message.c - see message.h. */
#include "executor/typed/message.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

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
	if (head->function == THAW_FUNCTION_NAMED &&
	    !text_is_utf8((const char *)bytes + head->name, head->name_size))
		return error_set(err, -EPROTO, "the name is not UTF-8");
	for (unsigned i = 0; i < head->count; i++)
		if (!is_valid(head, bytes, i, &ret_message->values[i]))
			return error_set(err, -EPROTO,
					 "value %u is not valid, or is text "
					 "that is not UTF-8",
					 i + 1);
	return 0;
}

bool message_has_type(const char *content_type)
{
	const size_t size = strlen(THAW_TYPED_CONTENT_TYPE);

	if (!content_type ||
	    strncasecmp(content_type, THAW_TYPED_CONTENT_TYPE, size) != 0)
		return false;
	content_type += size;
	content_type += strspn(content_type, " \t");
	return !*content_type || *content_type == ';';
}
