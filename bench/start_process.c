/*
 * start_process.c - start.process: the first reply of `thaw invoke`, a new process, from the
 * file of a snapshot. See row.h and stored_server.h. This process has a vm meanwhile:
 * for a machine's first vm the kernel changes its own code, and again after its last.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/invoke.h"
#include "bench/row.h"
#include "bench/stored_server.h"

static const char request[BENCH_REQUEST_SIZE];

struct process_state {
	struct bench_stored *stored;
	struct thaw *thaw; /* has the vm that stays */
};

static int start_own(struct bench_row *row, struct error *err)
{
	static const struct bench_function function = { .entry = "empty",
							.vms = 1 };
	struct process_state *state = row->state;
	struct thaw_reply reply;
	int r = bench_thaw_open(row->setup, &function, err, &state->thaw);

	if (!r)
		r = bench_thaw_invoke(state->thaw, request, err, &reply);
	if (!r)
		thaw_reply_release(&reply);
	return r;
}

static int open_process(struct bench_row *row, struct error *err)
{
	struct process_state *state = calloc(1, sizeof(*state));
	uint64_t ns;
	int r;

	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	row->state = state;
	r = bench_stored_open(row->setup, 1, err, &state->stored);
	if (!r)
		r = start_own(row, err);
	/* the first one writes down what an invocation needs */
	return r ? r : bench_stored_invoke(state->stored, err, &ns);
}

static int once_process(struct bench_row *row, struct error *err,
			uint64_t *ret_ns)
{
	const struct process_state *state = row->state;

	return bench_stored_invoke(state->stored, err, ret_ns);
}

static void close_process(struct bench_row *row)
{
	struct process_state *state = row->state;

	if (state) {
		thaw_close(state->thaw);
		bench_stored_close(state->stored);
	}
	free(state);
}

const struct bench_kind bench_start_process = {
	.open = open_process,
	.once = once_process,
	.close = close_process,
};
