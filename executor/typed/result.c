/* result.c - see result.h. */
#include "executor/typed/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "executor/typed/json_value.h"
#include "executor/typed/message.h"
#include "vm/image/declarations.h"

/* More than that goes back of what a buffer has taken in advance. */
#define SPARE_MAX 4096

/* Whether the result is of the type that the function declares, or the caller wants. */
static int check_type(const struct typed_call *call,
		      const struct message *message, struct error *err)
{
	const struct declaration *function = call->function;
	const unsigned count = message->head.count;
	const unsigned given = count ? message->values[0].type : THAW_TYPE_VOID;

	if (count > 1)
		return error_set(err, -EPROTO, "%u values for a result", count);
	if (call->returns == THAW_TYPE_NONE || given == call->returns)
		return 0;
	if (!function)
		return error_set(err, -EPROTO, "%s, and the caller expects %s",
				 type_name(given), type_name(call->returns));
	return error_set(err, -EPROTO, "%s, and %s returns %s",
			 type_name(given), function->name,
			 type_name(call->returns));
}

/* The text as memory of its own size, more or less: its taker may keep it for long. */
static char *take_text(const struct buffer *text)
{
	char *smaller = NULL;

	if (text->capacity - text->size > SPARE_MAX)
		smaller = realloc(text->data, text->size);
	return smaller ? smaller : text->data;
}

static int write_json(const struct thaw_value *value, size_t max,
		      struct error *err, struct typed_call *call)
{
	struct buffer text = BUFFER_INIT(max);

	buffer_text(&text, "{\"result\":");
	json_value_write(value, &text);
	buffer_text(&text, "}");
	if (text.failed) {
		buffer_done(&text);
		return error_set(err, -E2BIG,
				 "as JSON the result is larger than max_reply "
				 "of %zu",
				 max);
	}
	call->message = call->memory = take_text(&text);
	call->size = text.size;
	return 0;
}

int typed_result_take(struct typed_call *call, const void *reply, size_t size,
		      size_t max, struct error *err)
{
	static const struct thaw_value nothing = { .type = THAW_TYPE_VOID };
	struct message message;
	void *copy = malloc(size + 1);
	int r;

	if (!copy)
		return error_set(err, -ENOMEM, "no memory for it");
	if (size)
		memcpy(copy, reply, size);
	r = message_read(copy, size, THAW_MESSAGE_RESULT, err, &message);
	if (!r)
		r = check_type(call, &message, err);
	if (r) {
		free(copy);
		return r;
	}
	typed_call_done(call);
	call->has_result = true;
	if (call->is_message) {
		call->message = call->memory = copy;
		call->size = size;
		return 0;
	}
	r = write_json(message.head.count ? &message.values[0] : &nothing, max,
		       err, call);
	free(copy);
	return r;
}
