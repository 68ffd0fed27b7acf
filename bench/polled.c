/*
 * polled.c - rows that invoke functions whose vms wait inside the guest:
 * invoke.polled, invoke.polled.4, invoke.polled.coop. See row.h.
 *
 * Between the turns of a row its vms stop waiting, so that they take no CPU
 * time from other rows.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "bench/invoke.h"
#include "bench/row.h"
#include "vm/poll.h"

#define FUNCTIONS_MAX 4

/*
 * A vm that had stopped waiting waits again after so many polled invocations,
 */
#define GOING_AFTER 8
/* unless it takes more invocations than this, as others may have its core. */
#define TRIES_MAX 500

static const char request[BENCH_REQUEST_SIZE];

struct polled_state {
	struct thaw *thaws[FUNCTIONS_MAX]; /* one for each function */
	unsigned next;
};

static int polled_open(struct bench_row *row, const char *isolation,
		       struct error *err)
{
	const struct bench_function function = {
		.entry = "empty",
		.vms = 1,
		.dispatch = "polled",
		.isolation = isolation,
	};
	struct polled_state *state = calloc(1, sizeof(*state));
	int r = 0;

	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	row->state = state;
	for (unsigned i = 0; i < row->functions && !r; i++) {
		r = bench_thaw_open(row->setup, &function, err,
				    &state->thaws[i]);
		if (!r)
			r = bench_thaw_require_gate(state->thaws[i], err);
	}
	return r;
}

static int open_strict(struct bench_row *row, struct error *err)
{
	return polled_open(row, "strict", err);
}

static int open_coop(struct bench_row *row, struct error *err)
{
	return polled_open(row, "cooperative", err);
}

/* Invokes the function whose turn it is, until its vm is restored. */
static int invoke_next(const struct bench_row *row, struct error *err,
		       bool *ret_polled)
{
	struct polled_state *state = row->state;
	struct thaw_reply reply;
	int r = bench_thaw_invoke(state->thaws[state->next], request, err,
				  &reply);

	if (r)
		return r;
	thaw_reply_release(&reply);
	state->next = (state->next + 1) % row->functions;
	*ret_polled = !reply.exits;
	return 0;
}

static int polled_begin(struct bench_row *row, struct error *err)
{
	unsigned polled = 0;
	bool is_polled;

	for (unsigned i = 0; i < TRIES_MAX && polled < GOING_AFTER; i++) {
		int r = invoke_next(row, err, &is_polled);

		if (r)
			return r;
		polled += is_polled;
	}
	return 0;
}

static int polled_once(struct bench_row *row, struct error *err,
		       uint64_t *ret_ns)
{
	const uint64_t start_ns = clock_now_ns();
	bool is_polled;
	int r = invoke_next(row, err, &is_polled);

	*ret_ns = clock_now_ns() - start_ns;
	return r;
}

static void polled_end(struct bench_row *row)
{
	const struct timespec pause = { .tv_nsec = 2 * POLL_WAIT_MAX_NS };

	(void)row;
	nanosleep(&pause, NULL);
}

static void polled_close(struct bench_row *row)
{
	struct polled_state *state = row->state;

	for (unsigned i = 0; i < row->functions; i++)
		thaw_close(state->thaws[i]);
	free(state);
}

const struct bench_kind bench_polled_strict = {
	.open = open_strict,
	.begin = polled_begin,
	.once = polled_once,
	.end = polled_end,
	.close = polled_close,
	.is_polled = true,
};

const struct bench_kind bench_polled_coop = {
	.open = open_coop,
	.begin = polled_begin,
	.once = polled_once,
	.end = polled_end,
	.close = polled_close,
	.is_polled = true,
};
