/*
 * load_worker.h - one thread of the load generator: an epoll loop over its part
 * of the connections. See load.h.
 */
#ifndef BENCH_LOAD_WORKER_H
#define BENCH_LOAD_WORKER_H

#include <stdatomic.h>
#include <stdint.h>

#include "bench/load_connection.h"
#include "bench/load_options.h"
#include "bench/load_schedule.h"

struct load_worker {
	struct load_pool pool;
	const atomic_bool *stop; /* set: no more requests */

	uint64_t start_ns, end_ns;     /* UINT64_MAX: not yet */
	struct load_schedule schedule; /* of an open loop */
	uint64_t due_ns;	       /* when the next request is due */
};

/* Returns 0 or -errno; load_worker_done() is due in any case. */
int load_worker_init(struct load_worker *worker,
		     const struct load_options *options,
		     const atomic_bool *stop, unsigned part);
void load_worker_done(struct load_worker *worker);

/* Opens as many connections as possible. Returns 0, or -errno of epoll. */
int load_worker_connect(struct load_worker *worker);

/* Sends requests from @start_ns on, as the options say. Returns as above. */
int load_worker_run(struct load_worker *worker, uint64_t start_ns,
		    unsigned part);

#endif
