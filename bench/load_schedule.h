/*
 * load_schedule.h - when the requests of an open loop are due.
 *
 * They are due at a rate, whatever becomes of those before them. A schedule is
 * shared out among threads: each has its own part of it.
 */
#ifndef BENCH_LOAD_SCHEDULE_H
#define BENCH_LOAD_SCHEDULE_H

#include <stdint.h>

/* Requests in a second, at most. */
#define LOAD_RATE_MAX 10000000

enum load_arrivals {
	LOAD_UNIFORM, /* as far apart as each other */
	LOAD_POISSON, /* as of many clients that know nothing of each other */
};

struct load_schedule {
	enum load_arrivals arrivals;
	uint64_t start_ns, rate;
	uint64_t index, step; /* of the next one among all; to the one after */
	uint64_t random;      /* state of the generator */
	double offset_ns;     /* of the last one, LOAD_POISSON */
};

/* Part @part (from 0) of @parts of a schedule that begins at @start_ns. */
void load_schedule_start(struct load_schedule *schedule,
			 enum load_arrivals arrivals, uint64_t rate,
			 uint64_t start_ns, unsigned part, unsigned parts);

/* When the next request is due; the one after it has its turn next. */
uint64_t load_schedule_next(struct load_schedule *schedule);

#endif
