/*
 * load_schedule.h - when the requests of an open loop are due.
 *
 * The rate does not depend on the fate of earlier requests. Threads share a
 * schedule: each has its own part of it.
 */
#ifndef BENCH_LOAD_SCHEDULE_H
#define BENCH_LOAD_SCHEDULE_H

#include <stdint.h>

/* Most requests per second. */
#define LOAD_RATE_MAX 10000000

enum load_arrivals {
	LOAD_UNIFORM, /* at equal distances */
	LOAD_POISSON, /* at random, as from many independent clients */
};

struct load_schedule {
	enum load_arrivals arrivals;
	uint64_t start_ns, rate;
	uint64_t index,
		step; /* number of the next request, and the distance to the one after */
	uint64_t random;  /* state of the generator */
	double offset_ns; /* offset of the last request, for LOAD_POISSON */
};

/*
 * Begins part @part (from 0) of @parts of a schedule that starts at @start_ns.
 */
void load_schedule_start(struct load_schedule *schedule,
			 enum load_arrivals arrivals, uint64_t rate,
			 uint64_t start_ns, unsigned part, unsigned parts);

/* Returns when the next request is due, and moves on to the one after it. */
uint64_t load_schedule_next(struct load_schedule *schedule);

#endif
