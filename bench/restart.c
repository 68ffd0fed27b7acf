/*
 * restart.c - restart.N: `thaw serve` from its start until it is ready, with N functions
 * whose snapshots are all in its state directory. See row.h and stored_server.h. The
 * server is ended after each sample, which is not measured.
 */
#include "base/clock.h"
#include "bench/row.h"
#include "bench/stored_server.h"

static int open_restart(struct bench_row *row, struct error *err)
{
	struct bench_stored *stored;
	int r = bench_stored_open(row->setup, row->functions, err, &stored);

	if (!r)
		row->state = stored;
	return r;
}

static int once_restart(struct bench_row *row, struct error *err,
			uint64_t *ret_ns)
{
	const uint64_t start_ns = clock_now_ns();
	pid_t server;
	int r = bench_stored_start(row->state, err, &server);

	if (r)
		return r;
	*ret_ns = clock_now_ns() - start_ns;
	bench_stored_end(row->state);
	return 0;
}

static void close_restart(struct bench_row *row)
{
	bench_stored_close(row->state);
}

const struct bench_kind bench_restart = {
	.open = open_restart,
	.once = once_restart,
	.close = close_restart,
};
