/*
 * invoke_request.c - checks what a guest is told of its request, and writes it into
 * the guest's memory. See invoke_request.h.
 */
#include "executor/invoke_request.h"

#include <errno.h>
#include <string.h>

#include "base/hot.h"
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

/*
 * Copies an id, which fits, without what is not printable. Returns its size with the
 * zero.
 */
static size_t copy_id(char *to, const char *from)
{
	const size_t length = (size_t)(stpcpy(to, from) - to);

	text_clean_ascii(to, length);
	return length + 1;
}

const char *invoke_request_function(const struct thaw_invoke_request *request)
{
	for (size_t i = 0; i < request->attribute_count; i++)
		if (!strcmp(request->attributes[i].name, "path"))
			return request->attributes[i].value +
			       (*request->attributes[i].value == '/');
	return NULL;
}

struct device_call
invoke_request_call(const struct thaw_invoke_request *request)
{
	return (struct device_call){
		.name = invoke_request_function(request),
		.body = request->data,
		.size = request->size,
	};
}

static int invoke_check_call(const struct function *function,
			     const struct thaw_invoke_request *request,
			     struct error *err)
{
	const struct device_call call = invoke_request_call(request);
	int r = 0;

	if (function->program && function->program->process.device.is_asked)
		r = device_line_check(&call, err);
	return r ? error_prefix(err, r, "function %s", function->spec->name) :
		   0;
}

HOT int invoke_request_check(const struct function *function,
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
	if (request->attribute_count &&
	    (r = http_attributes_check(request->attributes,
				       request->attribute_count, err)))
		return r;
	if (request->header_count &&
	    (r = http_headers_check(request->headers, request->header_count,
				    err)))
		return r;
	return invoke_check_call(function, request, err);
}

/* The 8 hexadecimal digits of @number, the first one in the lowest byte. */
static uint64_t hex_of(uint32_t number)
{
	const uint64_t every = UINT64_C(0x0101010101010101);
	uint64_t digits = __builtin_bswap32(number), letters;

	/* spreads the bytes, then their halves */
	digits = (digits | digits << 16) & UINT64_C(0x0000ffff0000ffff);
	digits = (digits | digits << 8) & UINT64_C(0x00ff00ff00ff00ff);
	digits = (digits >> 4 | digits << 8) & (every * 0xf);
	letters = (digits + every * 6) >> 4 & every;
	return digits + every * '0' + letters * ('a' - '9' - 1);
}

/* 16 hexadecimal digits. Returns the size with the zero. */
static size_t make_generation_id(char *id, uint64_t number)
{
	const uint64_t digits[] = { hex_of((uint32_t)(number >> 32)),
				    hex_of((uint32_t)number) };

	memcpy(id, digits, sizeof(digits));
	id[sizeof(digits)] = '\0';
	return sizeof(digits) + 1;
}

HOT static int put_attributes(struct vm *vm,
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
HOT static int put_headers(struct vm *vm,
			   const struct thaw_invoke_request *request)
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

HOT size_t invoke_request_name(const struct thaw_invoke_request *request,
			       uint64_t number, struct thaw_reply *reply)
{
	return request->id ? copy_id(reply->id, request->id) :
			     make_generation_id(reply->id, number);
}

/*
 * Writes what is new in the info page, in place. The restore has made its texts empty.
 * So those that stay empty are not written.
 */
HOT static int put_info(const struct function *function, struct vm *vm,
			const struct thaw_invoke_request *request,
			const struct vm_moment *now, uint64_t deadline_ns,
			struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);
	const size_t start = offsetof(struct thaw_info, done);
	const size_t end =
		request->content_type ?
			sizeof(struct thaw_info) :
			offsetof(struct thaw_info, request.content_type);
	uint8_t *from = vm_write_at(vm, THAW_GPA_INFO + start, end - start);
	struct thaw_info *info = (void *)(from - start);
	struct vm_moment guest_now = *now;
	size_t id_size;
	int r;

	guest_now.monotonic_ns += function->ahead_ns;
	r = info_refresh(info, vm, &guest_now, function->clock_skew_ns);

	if (r)
		return r;
	id_size = invoke_request_name(request, info->generation, reply);
	info->done = vm_done_address(vm, state->is_polled);
	info->request.handler = function->handler;
	info->request.size = function->is_typed ? state->typed.size :
						  request->size;
	info->request.deadline_ns =
		deadline_ns + function->ahead_ns + function->clock_skew_ns;
	memcpy(info->request.function, function->spec->name,
	       function->name_size);
	memcpy(info->request.id, reply->id, id_size);
	if (request->content_type)
		strcpy(info->request.content_type, request->content_type);
	return request->attribute_count ?
		       put_attributes(vm, request,
				      &info->request.attributes_size) :
		       0;
}

HOT int invoke_request_write(const struct function *function, struct vm *vm,
			     const struct thaw_invoke_request *request,
			     const struct vm_moment *now, uint64_t deadline_ns,
			     struct thaw_reply *reply)
{
	int r = put_info(function, vm, request, now, deadline_ns, reply);

	if (!r && request->header_count)
		r = put_headers(vm, request);
	if (r)
		return r;
	if (function->is_typed)
		return put_typed(function, vm, &invoke_state(reply)->typed);
	return vm_write(vm, snapshot_layout(function->snapshot)->request.start,
			request->data, request->size);
}
