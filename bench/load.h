/*
 * load.h - puts load on a server, and measures what its clients see.
 *
 * In a closed loop each connection sends the next request when it has the reply
 * to the last. In an open loop requests are sent at a rate, and the connections
 * are a pool. The time of a request then counts from when it was due: a request
 * that waits, because earlier ones hold all connections, includes that wait.
 * (Times from when a request was sent would leave out exactly the moments in
 * which the server was slow.)
 *
 *	struct load_options options = { .target = &target, ... };
 *	struct load_result *result;
 *
 *	r = load_run(&options, &err, &result);
 *	load_result_free(result);
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bench/load_options.h"
#include "bench/load_tally.h"

struct load_result {
	struct load_tally tally;
	uint64_t elapsed_ns; /* the duration, or the time to the last reply if longer */
	uint64_t cpu_ns;	/* of this process */
	size_t connections;	/* connections that could be opened */
	int connect_error;	/* why not all, -errno; or 0 */
	uint64_t reconnections; /* of connections that had ended */
};

/*
 * Runs the load; only one may run in a process. A first SIGINT ends it early,
 * and the results so far count. Returns 0, or -errno after a message;
 * -ENOTCONN: no connection could be opened. The caller frees the result by
 * load_result_free().
 */
int load_run(const struct load_options *options, struct error *err,
	     struct load_result **ret_result);
void load_result_free(struct load_result *result);

/* Returns replies per second, good or bad. */
double load_rate(const struct load_result *result);

#endif
