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

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bench/load_options.h"
#include "bench/load_tally.h"

struct load_result {
	struct load_tally tally;
	uint64_t elapsed_ns;	/* the duration, or longer: to the last reply */
	uint64_t cpu_ns;	/* of this process */
	size_t connections;	/* that could be opened */
	int connect_error;	/* why not more, -errno; or 0 */
	uint64_t reconnections; /* of those that have ended */
};

/*
 * Runs it, one at a time in a process. A first SIGINT ends it early, with what
 * there is. 0 or -errno and a message; -ENOTCONN: no connection could be opened.
 * The caller frees the result by load_result_free().
 */
int load_run(const struct load_options *options, struct error *err,
	     struct load_result **ret_result);
void load_result_free(struct load_result *result);

/* Replies per second, whatever they say. */
double load_rate(const struct load_result *result);

#endif
