/*
 * invoke_request.c - checks what a guest is told of its request, and writes it into
 * the guest's memory. See invoke_request.h.
 */
#include "executor/invoke_request.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "executor/http_headers.h"
#include "executor/invoke_state.h"
#include "executor/typed/call.h"
#include "guest/abi/thaw_abi.h"
#include "snapshot/info.h"
#include "vm/image/declarations.h"
#include "vm/poll.h"

_Static_assert(sizeof(((struct thaw_reply *)0)->id) == THAW_ID_MAX,
	       "what the guest is sent fits");
_Static_assert(THAW_ATTRIBUTES_SIZE_MAX == THAW_ATTRIBUTES_MAX &&
		       THAW_HEADERS_SIZE_MAX == THAW_HEADERS_MAX,
	       "the limits a caller sees");

/* Copies an id, which fits, without what is not printable. */
static void copy_id(char *to, const char *from)
{
	text_clean_ascii(to, (size_t)(stpcpy(to, from) - to));
}

int invoke_request_check(const struct function *function,
			 const struct thaw_invoke_request *request,
			 struct error *err)
{
	int r;

	if (request->size > function->spec->max_request)
		return error_set(err, -E2BIG,
				 "function %s: a request of %zu bytes is "
				 "larger than its max_request of %zu",
				 function->spec->name, request->size,
				 function->spec->max_request);
	if (request->content_type &&
	    strlen(request->content_type) >= THAW_CONTENT_TYPE_MAX)
		return error_set(err, -EINVAL,
				 "a content type may have %d characters",
				 THAW_CONTENT_TYPE_MAX - 1);
	if (request->id && strlen(request->id) >= THAW_ID_MAX)
		return error_set(err, -EINVAL,
				 "a request id may have %d characters",
				 THAW_ID_MAX - 1);
	r = http_attributes_check(request->attributes, request->attribute_count,
				  err);
	if (r)
		return r;
	return http_headers_check(request->headers, request->header_count, err);
}

/* 16 hexadecimal digits. */
static void make_generation_id(char *id, uint64_t number)
{
	for (int i = 15; i >= 0; i--, number >>= 4)
		id[i] = "0123456789abcdef"[number & 15];
	id[16] = '\0';
}

static int put_attributes(struct vm *vm,
			  const struct thaw_invoke_request *request,
			  uint32_t *ret_size)
{
	char bytes[THAW_ATTRIBUTES_MAX];

	*ret_size = (uint32_t)(http_headers_write(bytes, request->attributes,
						  request->attribute_count) -
			       bytes);
	return vm_write(vm, THAW_GPA_ATTRIBUTES, bytes, *ret_size);
}

/* Zeros follow the headers, as in the snapshot. */
static int put_headers(struct vm *vm, const struct thaw_invoke_request *request)
{
	char bytes[THAW_HEADERS_MAX];
	const char *end = http_headers_write(bytes, request->headers,
					     request->header_count);

	return vm_write(vm, THAW_GPA_HEADERS, bytes, (size_t)(end - bytes));
}

/* A caller calls by name, and the guest by index. */
static int put_typed(const struct function *function, struct vm *vm,
		     const struct typed_call *call)
{
	const size_t offset = offsetof(struct thaw_message, function);
	const uint64_t window =
		snapshot_layout(function->snapshot)->request.start;
	int r = vm_write(vm, window, call->message, call->size);

	if (r || !call->function)
		return r;
	return vm_write(vm, window + offset, &call->function->index,
			sizeof(call->function->index));
}

int invoke_request_write(const struct function *function, struct vm *vm,
			 const struct thaw_invoke_request *request,
			 uint64_t deadline_ns, struct thaw_reply *reply)
{
	const size_t start = offsetof(struct thaw_info, done);
	const struct typed_call *typed = &invoke_state(reply)->typed;
	struct thaw_info info = { 0 };
	int r;

	info.done = vm_done_address(vm, invoke_state(reply)->is_polled);

	r = info_refresh(&info, vm, function->clock_skew_ns);
	if (r)
		return r;
	if (request->id)
		copy_id(reply->id, request->id);
	else
		make_generation_id(reply->id, info.generation);
	info.request.handler = function->handler;
	info.request.size = function->is_typed ? typed->size : request->size;
	info.request.deadline_ns = deadline_ns + function->clock_skew_ns;
	strcpy(info.request.function, function->spec->name);
	strcpy(info.request.id, reply->id);
	if (request->content_type)
		strcpy(info.request.content_type, request->content_type);
	r = request->attribute_count ?
		    put_attributes(vm, request, &info.request.attributes_size) :
		    0;
	if (!r && request->header_count)
		r = put_headers(vm, request);
	if (r)
		return r;
	r = vm_write(vm, THAW_GPA_INFO + start, (const char *)&info + start,
		     sizeof(info) - start);
	if (r)
		return r;
	if (function->is_typed)
		return put_typed(function, vm, typed);
	return vm_write(vm, snapshot_layout(function->snapshot)->request.start,
			request->data, request->size);
}
