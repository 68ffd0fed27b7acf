/*
 * invoke_reply.c - the reply of a guest that is done. On the hot path, on the caller's
 * thread. See invoke_reply.h.
 *
 * Nothing the guest leaves in its mailbox is believed: it is copied once, checked, and
 * then used.
 */
#include "executor/invoke_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hot.h"
#include "base/text.h"
#include "executor/function.h"
#include "executor/http_headers.h"
#include "executor/invoke_state.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_http.h"
#include "snapshot/snapshot.h"
#include "vm/vm.h"

#define DEFAULT_CONTENT_TYPE "application/octet-stream"

_Static_assert(sizeof(((struct thaw_reply *)0)->content_type) ==
		       THAW_CONTENT_TYPE_MAX,
	       "what the guest may send fits");
_Static_assert(sizeof(((struct thaw_reply *)0)->error_type) ==
		       THAW_ERROR_TYPE_MAX,
	       "what the guest may send fits");
_Static_assert(THAW_REPLY_HEADERS_SIZE_MAX == THAW_REPLY_HEADERS_MAX,
	       "the limit a caller sees");

/* Copies at most @size - 1 bytes of text, and ends them; returns the length. */
static size_t copy_text(char *to, const char *from, size_t size)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
	return length;
}

/* The same for text that must be ASCII. */
static void copy_ascii(char *to, const char *from, size_t size)
{
	text_clean_ascii(to, copy_text(to, from, size));
}

void invoke_reply_fail(struct thaw_reply *reply, enum thaw_result result,
		       const char *type, const char *message)
{
	reply->result = result;
	reply->data = NULL;
	reply->size = 0;
	snprintf(reply->error_type, sizeof(reply->error_type), "%s", type);
	snprintf(reply->error_message, sizeof(reply->error_message), "%s",
		 message);
}

/* Copies the headers once and checks the copy. Returns what is wrong, or NULL. */
static const char *take_reply_headers(const struct thaw_mailbox *mailbox,
				      uint32_t size, struct thaw_reply *reply)
{
	char *headers;

	if (size > THAW_REPLY_HEADERS_MAX)
		return "more than 4096 bytes of headers";
	headers = invoke_state(reply)->headers = malloc(size);
	if (!headers)
		return "headers for which there is no memory";
	memcpy(headers, mailbox->headers, size);
	reply->headers = headers;
	reply->headers_size = size;
	return http_headers_reply_fault(headers, size);
}

/* Takes HTTP status and headers. False: they have made the invocation fail. */
HOT static bool take_http(const struct thaw_mailbox *mailbox,
			  uint64_t reply_size, struct thaw_reply *reply)
{
	const uint32_t status =
		__atomic_load_n(&mailbox->http_status, __ATOMIC_RELAXED);
	const uint32_t size =
		__atomic_load_n(&mailbox->headers_size, __ATOMIC_RELAXED);
	const char *fault = NULL;

	_Static_assert(THAW_REPLY_STATUS_MIN == 200 &&
			       THAW_REPLY_STATUS_MAX == 599 &&
			       THAW_REPLY_HEADERS_MAX == 4096,
		       "as the messages say");
	if (status &&
	    (status < THAW_REPLY_STATUS_MIN || status > THAW_REPLY_STATUS_MAX))
		fault = "a status outside 200 to 599";
	else if (size)
		fault = take_reply_headers(mailbox, size, reply);
	reply->status = status;
	if (!fault && !(reply_size && thaw_http_is_bodiless(status)))
		return true;
	reply->status = 0;
	reply->headers = NULL;
	reply->headers_size = 0;
	if (fault) {
		invoke_reply_fail(reply, THAW_ERROR, "Runtime.ProtocolError",
				  "");
		snprintf(reply->error_message, sizeof(reply->error_message),
			 "the head of the function's reply has %s", fault);
	} else {
		invoke_reply_fail(reply, THAW_ERROR, "Function.InvalidResponse",
				  "");
		snprintf(reply->error_message, sizeof(reply->error_message),
			 "a reply of status %u has no body, and this one has "
			 "%" PRIu64 " bytes",
			 status, reply_size);
	}
	return false;
}

HOT void invoke_reply_take(const struct function *function, struct vm *vm,
			   struct thaw_reply *reply)
{
	const struct layout *layout = snapshot_layout(function->snapshot);
	const struct thaw_mailbox *mailbox =
		vm_view(vm, THAW_GPA_MAILBOX, sizeof(*mailbox));
	/* read once: in the cooperative isolation they may still change */
	uint64_t size = __atomic_load_n(&mailbox->reply_size, __ATOMIC_RELAXED);
	uint32_t status = __atomic_load_n(&mailbox->status, __ATOMIC_RELAXED);

	if (status == THAW_STATUS_ERROR) {
		reply->result = THAW_ERROR;
		copy_ascii(reply->error_type, mailbox->error_type,
			   sizeof(mailbox->error_type));
		text_clean(reply->error_message,
			   copy_text(reply->error_message,
				     mailbox->error_message,
				     sizeof(mailbox->error_message)));
		return;
	}
	if (status != THAW_STATUS_OK) {
		invoke_reply_fail(
			reply, THAW_ERROR, "Runtime.ProtocolError",
			"the function left a status that does not exist");
		return;
	}
	if (size > layout->reply_max) {
		invoke_reply_fail(reply, THAW_ERROR,
				  "Function.ResponseSizeTooLarge", "");
		snprintf(reply->error_message, sizeof(reply->error_message),
			 "a reply of %" PRIu64
			 " bytes is larger than max_reply of %zu",
			 size, layout->reply_max);
		return;
	}
	reply->result = THAW_OK;
	reply->data = vm_view(vm, layout->reply.start, size);
	reply->size = size;
	/* the rest of a typed reply is the host's: see invoke_typed_take() */
	if (function->is_typed || !take_http(mailbox, size, reply))
		return;
	/* as a rule it is empty */
	if (*mailbox->content_type)
		copy_ascii(reply->content_type, mailbox->content_type,
			   sizeof(mailbox->content_type));
	if (!*reply->content_type)
		strcpy(reply->content_type, DEFAULT_CONTENT_TYPE);
}
