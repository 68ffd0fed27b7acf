/* load_tally.h - counts the fate of a load's requests. */
#ifndef BENCH_LOAD_TALLY_H
#define BENCH_LOAD_TALLY_H

#include <stdint.h>

#include "base/clock.h"
#include "bench/histogram.h"
#include "bench/load_wire.h"

/* A request that is sent so long after it was due is late. */
#define LOAD_LATE_NS NS_PER_MS

/* The requests that were due within the duration. */
struct load_tally {
	uint64_t sent;	     /* the sum of ok, errors and lost */
	uint64_t ok, errors; /* replies, by their status */
	uint64_t lost;	     /* no reply, or a broken one */
	uint64_t late;	     /* sent too late */
	uint64_t unsent;     /* due, but no connection was free until the end */
	uint64_t statuses[LOAD_STATUS_MAX];
	struct histogram latency; /* of the replies that are ok */
};

/* Adds all that is in @from, as if it had been counted in @to. */
void load_tally_merge(struct load_tally *to, const struct load_tally *from);

#endif
