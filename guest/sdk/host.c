/*
 * host.c - calls host functions: arguments to the host as a message, the result from
 * the result window. See thaw_import.h, and thaw_typed.h for the bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <thaw.h>
#include <thaw_arch.h>

#include "sdk.h"

/* A call of so many bytes needs no memory of the heap. */
#define SMALL_CALL 512

static const char *message = "";
static bool is_ready;

void thaw_host_ready(void)
{
	is_ready = true;
}

const char *thaw_host_message(void)
{
	return message;
}

static int fail(enum thaw_host_status status, const char *why)
{
	message = why;
	return status;
}

/* The host has checked the result, and nobody else can write it. */
static int take_answer(enum thaw_type returns, struct thaw_value *ret_result)
{
	const struct thaw_host_answer *answer =
		(const void *)thaw_info->result_start;
	const char *text = (const char *)(answer + 1);
	struct thaw_message head;

	if (answer->status != THAW_HOST_OK)
		return fail((enum thaw_host_status)answer->status, text);
	ret_result->type = THAW_TYPE_VOID;
	if (!thaw_message_open(text, answer->size, THAW_MESSAGE_RESULT,
			       &head) ||
	    (head.count && !thaw_message_value(&head, text, 0, ret_result)) ||
	    (returns != THAW_TYPE_NONE && ret_result->type != returns))
		return fail(THAW_HOST_INVALID, "the result is not valid");
	message = "";
	return THAW_HOST_OK;
}

static int send(const void *call, size_t size, enum thaw_type returns,
		struct thaw_value *ret_result)
{
	thaw_mailbox->call = (uintptr_t)call;
	thaw_mailbox->call_size = size;
	thaw_arch_ring(THAW_BELL_CALL);
	return take_answer(returns, ret_result);
}

/*
 * print(string) and log(int, string) write what stdout and thaw_log() write: no exit.
 * Returns whether it was one of them, which the catalog allows.
 */
static bool call_local(const char *name, const struct thaw_value *arguments,
		       unsigned count, enum thaw_type returns,
		       struct thaw_value *ret_result)
{
	const uint32_t local = thaw_info->host_local;

	if ((local & THAW_HOST_LOCAL_PRINT) && !strcmp(name, "print") &&
	    count == 1 && arguments[0].type == THAW_TYPE_STRING &&
	    (returns == THAW_TYPE_NONE || returns == THAW_TYPE_INT)) {
		const struct thaw_text *text = &arguments[0].as.string;

		fwrite(text->data, 1, text->size, stdout);
		*ret_result = thaw_value_int((int)text->size);
		return true;
	}
	if ((local & THAW_HOST_LOCAL_LOG) && !strcmp(name, "log") &&
	    count == 2 && arguments[0].type == THAW_TYPE_INT &&
	    arguments[1].type == THAW_TYPE_STRING &&
	    (returns == THAW_TYPE_NONE || returns == THAW_TYPE_VOID)) {
		thaw_log((enum thaw_level)arguments[0].as.i32, "%s",
			 arguments[1].as.string.data);
		*ret_result = thaw_value_void();
		return true;
	}
	return false;
}

static bool is_valid(const char *name, const struct thaw_value *arguments,
		     unsigned count)
{
	if (count > THAW_PARAMETERS_MAX || !*name ||
	    strlen(name) >= THAW_NAME_MAX)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (arguments[i].type == THAW_TYPE_STRING &&
		    !arguments[i].as.string.data)
			return false;
	return true;
}

int thaw_host_call(const char *name, const struct thaw_value *arguments,
		   unsigned count, enum thaw_type returns,
		   struct thaw_value *ret_result)
{
	struct thaw_message head = {
		.kind = THAW_MESSAGE_CALL,
		.function = THAW_FUNCTION_NAMED,
		.returns = (uint16_t)returns,
	};
	uint64_t small[SMALL_CALL / sizeof(uint64_t)];
	void *call = small;
	size_t size;
	int status;

	if (!is_ready)
		return fail(THAW_HOST_BUSY,
			    "host functions cannot be called during init");
	if (!thaw_info->result_size)
		return fail(THAW_HOST_NOT_FOUND,
			    "the catalog allows no host functions: see "
			    "host.allow");
	if (!is_valid(name, arguments, count))
		return fail(THAW_HOST_INVALID, "the call is not valid");
	if (call_local(name, arguments, count, returns, ret_result))
		return THAW_HOST_OK;
	size = thaw_message_size(arguments, count, strlen(name));
	if (!size)
		return fail(THAW_HOST_TOO_LARGE, "the arguments are too large");
	if (size > sizeof(small))
		call = malloc(size);
	if (!call)
		return fail(THAW_HOST_NO_MEMORY, "no memory for the arguments");
	thaw_message_write(&head, name, arguments, count, call);
	status = send(call, size, returns, ret_result);
	if (call != small)
		free(call);
	return status;
}
