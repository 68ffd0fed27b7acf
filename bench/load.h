/*
 * load.h - `thaw bench NAME`: puts load on a server, and measures what its
 * clients see.
 *
 * A closed loop has so many connections, each of which sends the next request
 * when it has the reply to the last. An open loop sends requests at a rate, and
 * has the connections as a pool. There, the time of a request is from when it
 * was due: one that has to wait, because those before it hold all connections,
 * has that time too. (Counting from when it was sent would leave out just the
 * times in which the server was slow.)
 *
 *	struct load_options options = { .target = &target, ... };
 *	struct load_result *result;
 *
 *	r = load_run(&options, &err, &result);
 *	load_result_free(result);
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "bench/histogram.h"
#include "bench/load_schedule.h"
#include "bench/load_target.h"
#include "bench/load_wire.h"

/* Sent so long after it was due, a request is late. */
#define LOAD_LATE_NS NS_PER_MS

/* How long replies are waited for after the last request was due. */
#define LOAD_DRAIN_NS (5 * NS_PER_S)

struct load_options {
	const struct load_target *target;
	const struct load_request *request;
	size_t connections; /* at least one for each thread */
	unsigned threads;
	uint64_t rate; /* in a second; 0: a closed loop */
	enum load_arrivals arrivals;
	uint64_t warm_up_ns; /* before the duration; does not count */
	uint64_t duration_ns;
	uint64_t drain_ns;
	bool is_background; /* SIGINT is not its own: it ends the program */
};

/* What became of the requests that were due within the duration. */
struct load_tally {
	uint64_t sent;	     /* ok, errors and lost */
	uint64_t ok, errors; /* replies, by their status */
	uint64_t lost;	     /* without a reply, or with a broken one */
	uint64_t late;	     /* sent when it was too late */
	uint64_t unsent; /* due, but there was no connection until the end */
	uint64_t statuses[LOAD_STATUS_MAX];
	struct histogram latency; /* of those that are ok */
};

struct load_result {
	struct load_tally tally;
	uint64_t elapsed_ns;	/* the duration, or longer: to the last reply */
	uint64_t cpu_ns;	/* of this process */
	size_t connections;	/* that could be opened */
	int connect_error;	/* why not more, -errno; or 0 */
	uint64_t reconnections; /* of those that have ended */
};

/*
 * Runs it, one at a time in a process. A first SIGINT ends it early, with what there is. 0 or -errno and a
 * message; -ENOTCONN: no connection could be opened. To be freed by
 * load_result_free().
 */
int load_run(const struct load_options *options, struct error *err,
	     struct load_result **ret_result);
void load_result_free(struct load_result *result);

/* Replies per second, whatever they say. */
double load_rate(const struct load_result *result);

#endif
