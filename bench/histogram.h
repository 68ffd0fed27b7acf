/*
 * histogram.h - how often a duration was measured, to three digits.
 *
 *	struct histogram *h = calloc(1, sizeof(*h));	an empty one is zero
 *	histogram_add(h, ns);
 *	p99 = histogram_percentile(h, 0.99);
 *
 * Log-linear: durations below 2 us have a bucket for each nanosecond, and from
 * each power of two to the next there are 1,024 buckets. So a percentile is off
 * by less than 0.1 %, whatever its size; least and greatest are exact. The size
 * is fixed, nothing is allocated, and histograms of several runs can be merged.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Buckets from one power of two to the next, as a power of two. */
#define HISTOGRAM_BITS 10
/* Longer durations, 69 s and more, share the last bucket. */
#define HISTOGRAM_MAX_BITS 36
#define HISTOGRAM_BUCKETS \
	((size_t)(HISTOGRAM_MAX_BITS - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS)

struct histogram {
	uint64_t count;	   /* number of durations */
	uint64_t least_ns; /* undefined if there are no durations */
	uint64_t greatest_ns;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Adds a duration, once or @times times. */
void histogram_add(struct histogram *histogram, uint64_t ns);
void histogram_add_many(struct histogram *histogram, uint64_t ns,
			uint64_t times);

/* Adds all that is in @from, as if it had been measured here. */
void histogram_merge(struct histogram *to, const struct histogram *from);

/*
 * Returns the duration that the part @fraction (0 to 1) of all durations does
 * not exceed: that of rank ceil(fraction * count), at least the first. 0 if
 * there are none.
 */
uint64_t histogram_percentile(const struct histogram *histogram,
			      double fraction);

/*
 * Finds the first bucket from *@index on that is not empty. Returns a duration
 * in it and its count, and sets *@index to the next bucket. False: there is
 * none.
 */
bool histogram_next(const struct histogram *histogram, size_t *index,
		    uint64_t *ret_ns, uint64_t *ret_count);

#endif
