/*
 * call.h - a typed call on its way to a guest: the room's interface, with result.h.
 *
 *	struct typed_call call;
 *
 *	r = typed_call_make(&target, &request, &err, &call);
 *	...
 *	write call.message to the guest, run it, copy its reply
 *	r = typed_result_take(&call, reply, size, max, &err);
 *	use(call.message, call.size)
 *	typed_call_done(&call);
 *
 * A call comes as JSON or as a message (guest/abi/thaw_typed.h), and its result goes
 * as the same. Any thread; a call belongs to one at a time.
 */
#ifndef EXECUTOR_TYPED_CALL_H
#define EXECUTOR_TYPED_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/typed/request.h"
#include "executor/typed/target.h"

struct error;
struct declaration;

struct typed_call {
	const struct declaration *function; /* NULL: the dispatch function */
	/*
	 * The call, or the result once that is taken: borrowed from the request,
	 * or owned.
	 */
	const void *message;
	size_t size;
	void *memory;
	bool is_message; /* what the caller has sent, and gets */
	bool has_result; /* the result is taken */
	uint8_t returns; /* wanted, of enum thaw_type; THAW_TYPE_NONE: any */
};

/*
 * Makes a call of @request for a function of @target. Checks number and types of the
 * arguments. -ENOSYS: there is no such function; -EINVAL: the request is no call, or
 * an argument is wrong: @err has its position, what is expected, and what is given;
 * -ENOMEM.
 */
int typed_call_make(const struct typed_target *target,
		    const struct typed_request *request, struct error *err,
		    struct typed_call *ret_call);

/* The most bytes of memory that making a call of @size bytes of JSON takes. */
size_t typed_call_memory(size_t size);

/* Frees what @call owns. It may have been zeroed, and may be done with already. */
void typed_call_done(struct typed_call *call);

#endif
