/* load_tally.h - counts what became of the requests of a load. */
#ifndef BENCH_LOAD_TALLY_H
#define BENCH_LOAD_TALLY_H

#include <stdint.h>

#include "base/clock.h"
#include "bench/histogram.h"
#include "bench/load_wire.h"

/* Sent so long after it was due, a request is late. */
#define LOAD_LATE_NS NS_PER_MS

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

/* Adds all that is in @from, as if it had been counted in @to. */
void load_tally_merge(struct load_tally *to, const struct load_tally *from);

#endif
