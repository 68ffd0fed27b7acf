/* load_options.h - the load that load_run() puts on a server. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "bench/load_schedule.h"
#include "bench/load_target.h"
#include "bench/load_wire.h"

/* Time in which replies may still come after the last request was due. */
#define LOAD_DRAIN_NS (5 * NS_PER_S)

struct load_options {
	const struct load_target *target;
	const struct load_request *request;
	size_t connections; /* at least one for each thread */
	unsigned threads;
	uint64_t rate; /* requests per second; 0: a closed loop */
	enum load_arrivals arrivals;
	uint64_t warm_up_ns; /* time before the duration that does not count */
	uint64_t duration_ns;
	uint64_t drain_ns;
	bool is_background; /* leave SIGINT alone: it ends the program */
};

#endif
