/*
 * function_facts.h - what a server's JSON says about functions, and what
 * happened between two of its answers.
 */
#ifndef EXECUTOR_CLI_FUNCTION_FACTS_H
#define EXECUTOR_CLI_FUNCTION_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/limits.h"

struct json_t;

/* More bounds than the server's histograms have. */
#define FACTS_BOUNDS_MAX 64

#define FACTS_NAME_MAX (LIMIT_NAME_MAX + 1)

/* The upper bounds of the buckets of all histograms in an answer. */
struct facts_bounds {
	uint64_t us[FACTS_BOUNDS_MAX];
	size_t count;
};

struct function_facts {
	char name[FACTS_NAME_MAX];
	char state[16]; /* "active", ... */
	uint64_t idle, busy, max, queued;
	uint64_t ended;	 /* invocations, however they ended */
	uint64_t errors; /* those that did not end well */
	uint64_t buckets[FACTS_BOUNDS_MAX + 1]; /* of the histogram "duration" */
};

/* All functions in one answer, at one time. */
struct facts {
	uint64_t at_ns; /* of clock_now_ns() */
	struct facts_bounds bounds;
	struct function_facts *functions; /* sorted by name */
	size_t count;
};

/* Reads "bucket_bounds_us"; ignores what is not a list of growing numbers. */
void facts_read_bounds(const struct json_t *answer,
		       struct facts_bounds *ret_bounds);

/* Reads the counts of a histogram's bounds->count + 1 buckets. */
void facts_read_buckets(const struct json_t *histogram,
			const struct facts_bounds *bounds,
			uint64_t *ret_counts);

void facts_read_function(const struct json_t *function,
			 const struct facts_bounds *bounds,
			 struct function_facts *ret_facts);

/* Reads the answer to /v1/functions. Returns 0, or -ENOMEM. */
int facts_read(const struct json_t *answer, uint64_t at_ns,
	       struct facts *ret_facts);
void facts_done(struct facts *facts);

/* Returns the function called @name, or NULL. */
const struct function_facts *facts_find(const struct facts *facts,
					const char *name);

/*
 * Subtracts the counts of @before from those of @now. If a count went down, the
 * server is a new one, and nothing is subtracted.
 */
void facts_subtract(struct function_facts *now,
		    const struct function_facts *before);

/* Returns a percentile of the duration, in microseconds: see percentile.h. */
double facts_percentile(const struct function_facts *facts,
			const struct facts_bounds *bounds, double p);

/* Returns the last bound, for percentile_format(); 0 if there is none. */
double facts_last_us(const struct facts_bounds *bounds);

#endif
