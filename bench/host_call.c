/*
 * host_call.c - the row hostcall: what one call of a host function takes, in an
 * invocation that makes many, whose time is divided among its exits. See row.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench/invoke.h"
#include "bench/row.h"

/* Calls in one invocation, which has one exit more: the one at its end. */
#define CALLS 31

static int host_call_open(struct bench_row *row, struct error *err)
{
	const struct bench_function function = { .entry = "call_host",
						 .vms = 1,
						 .host = "\"time\"" };
	struct thaw *thaw;
	int r = bench_thaw_open(row->setup, &function, err, &thaw);

	if (!r)
		row->state = thaw;
	return r;
}

static int host_call_once(struct bench_row *row, struct error *err,
			  uint64_t *ret_ns)
{
	static const struct thaw_value count = { .type = THAW_TYPE_UINT,
						 .as = { .u32 = CALLS } };
	static const struct thaw_typed_call call = { .name = "call_host",
						     .arguments = &count,
						     .count = 1 };
	const uint64_t start_ns = clock_now_ns();
	struct thaw_value value;
	struct thaw_reply reply;
	int r = thaw_call(row->state, BENCH_FUNCTION, &call,
			  (struct thaw_error *)(void *)err, &reply, &value);

	if (r)
		return r;
	thaw_reply_release(&reply);
	*ret_ns = (clock_now_ns() - start_ns) / (CALLS + 1);
	return value.type == THAW_TYPE_UINT && value.as.u32 == CALLS ?
		       0 :
		       error_set(err, -EPROTO, "the host was not called: %s",
				 reply.error_message);
}

static void host_call_close(struct bench_row *row)
{
	thaw_close(row->state);
}

const struct bench_kind bench_host_call = {
	.open = host_call_open,
	.once = host_call_once,
	.close = host_call_close,
	.many = CALLS + 1,
};
