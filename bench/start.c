/*
 * start.c - rows that start a function: start.cold from its ELF file,
 * start.pool with a new vm of its snapshot. See row.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench/invoke.h"
#include "bench/row.h"

/* Vms that start.pool makes before it starts over. */
#define POOL_VMS 64

/* Invocations after which a snapshot knows its hot set. */
#define SETTLED_AFTER 32

static const char request[BENCH_REQUEST_SIZE];

/* Each reply holds its vm, so the next invocation needs a new one. */
struct pool_state {
	struct thaw *thaw;
	struct thaw_reply replies[POOL_VMS];
	unsigned out;
};

static void empty_pool(struct pool_state *state)
{
	while (state->out)
		thaw_reply_release(&state->replies[--state->out]);
	thaw_close(state->thaw);
	state->thaw = NULL;
}

/* Boots the function, and has one vm learn which pages it writes. */
static int fill_pool(struct bench_row *row, struct error *err)
{
	static const struct bench_function function = { .entry = "empty",
							.vms = POOL_VMS };
	struct pool_state *state = row->state;
	int r = bench_thaw_open(row->setup, &function, err, &state->thaw);

	for (unsigned i = 0; i <= SETTLED_AFTER && !r; i++) {
		if (state->out)
			thaw_reply_release(&state->replies[--state->out]);
		r = bench_thaw_invoke(state->thaw, request, err,
				      &state->replies[0]);
		if (!r)
			state->out = 1;
	}
	return r;
}

static int open_pool(struct bench_row *row, struct error *err)
{
	struct pool_state *state = calloc(1, sizeof(*state));

	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	row->state = state;
	return fill_pool(row, err);
}

static int once_pool(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	struct pool_state *state = row->state;
	uint64_t start_ns;
	int r;

	if (state->out == POOL_VMS) {
		empty_pool(state);
		r = fill_pool(row, err);
		if (r)
			return r;
	}
	start_ns = clock_now_ns();
	r = bench_thaw_invoke(state->thaw, request, err,
			      &state->replies[state->out]);
	*ret_ns = clock_now_ns() - start_ns;
	if (!r)
		state->out++;
	return r;
}

static void close_pool(struct bench_row *row)
{
	empty_pool(row->state);
	free(row->state);
}

const struct bench_kind bench_start_pool = {
	.open = open_pool,
	.once = once_pool,
	.close = close_pool,
};

static int once_cold(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	static const struct bench_function function = { .entry = "empty",
							.vms = 1 };
	const uint64_t start_ns = clock_now_ns();
	struct thaw_reply reply;
	struct thaw *thaw;
	int r = bench_thaw_open(row->setup, &function, err, &thaw);

	if (r)
		return r;
	r = bench_thaw_invoke(thaw, request, err, &reply);
	*ret_ns = clock_now_ns() - start_ns;
	if (!r)
		thaw_reply_release(&reply);
	thaw_close(thaw);
	return r;
}

const struct bench_kind bench_start_cold = { .once = once_cold };
