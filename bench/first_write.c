/*
 * first_write.c - first.write.N: the first write to a page that the guest has read, in a
 * process with N vms. All vms of a process share its addresses, so the kernel asks each of
 * them to give up what it has of the page that is replaced. See row.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench/invoke.h"
#include "bench/row.h"

/* Pages written in a sample. */
#define PAGES 64

static const uint32_t nothing[BENCH_REQUEST_SIZE / sizeof(uint32_t)];
static const uint32_t writes[BENCH_REQUEST_SIZE / sizeof(uint32_t)] = {
	PAGES, BENCH_STRIDE
};

struct crowd {
	struct thaw *thaw;
	unsigned count;
	struct thaw_reply replies[]; /* each holds a vm */
};

static void leave(struct bench_row *row)
{
	struct crowd *crowd = row->state;

	while (crowd->count)
		thaw_reply_release(&crowd->replies[--crowd->count]);
	thaw_close(crowd->thaw);
	crowd->thaw = NULL;
}

static int open_crowd(struct bench_row *row, struct error *err)
{
	row->state = calloc(1, sizeof(struct crowd) +
				       row->vms * sizeof(struct thaw_reply));
	return row->state ? 0 : error_set(err, -ENOMEM, "no memory");
}

/* Makes all vms but the one that a sample makes. */
static int gather(struct bench_row *row, struct error *err)
{
	const struct bench_function function = { .entry = "dirty",
						 .vms = row->vms };
	struct crowd *crowd = row->state;
	int r = bench_thaw_open(row->setup, &function, err, &crowd->thaw);

	while (!r && crowd->count < row->vms - 1) {
		r = bench_thaw_invoke(crowd->thaw, nothing, err,
				      &crowd->replies[crowd->count]);
		crowd->count += !r;
	}
	if (r)
		leave(row);
	return r;
}

static int invoke_and_release(struct thaw *thaw, const void *request,
			      struct error *err)
{
	struct thaw_reply reply;
	int r = bench_thaw_invoke(thaw, request, err, &reply);

	if (!r)
		thaw_reply_release(&reply);
	return r;
}

/* A vm that has run already, in which nobody has written to the pages. */
static int once(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	static const struct bench_function function = { .entry = "dirty",
							.vms = 1 };
	struct thaw *thaw = NULL;
	uint64_t start_ns;
	int r;

	r = bench_thaw_open(row->setup, &function, err, &thaw);
	if (!r)
		r = invoke_and_release(thaw, nothing, err);
	start_ns = clock_now_ns();
	if (!r)
		r = invoke_and_release(thaw, writes, err);
	*ret_ns = (clock_now_ns() - start_ns) / PAGES;
	thaw_close(thaw);
	return r;
}

static void close_crowd(struct bench_row *row)
{
	leave(row);
	free(row->state);
}

const struct bench_kind bench_first_write = {
	.open = open_crowd,
	.begin = gather,
	.once = once,
	.end = leave,
	.close = close_crowd,
	.many = PAGES,
};
