/*
 * results.h - the results of `thaw bench`: durations, rounds and ratios.
 *
 * Besides all durations of a row, the results have its median in each round;
 * see measure.h.
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "bench/histogram.h"
#include "bench/rows.h"

/* With fewer samples there is no p99.9. */
#define BENCH_P999_SAMPLES 10000

struct bench_result {
	char name[32];
	struct histogram *histogram;
	double *round_p50_ns; /* of each round */
	uint64_t cpu_ns;      /* of this process, for all durations */
	uint64_t exits;	      /* of one invocation; 0: not counted */
	/* CPU time of this process in a second without invocations */
	bool has_idle;
	double idle_us;
};

struct bench_results {
	struct bench_result rows[BENCH_ROWS_MAX];
	size_t count;
	size_t rounds, round_room;
	size_t runs; /* runs that were merged */
};

/*
 * Adds a row without durations, before the first round. Returns 0 or -ENOMEM.
 */
int bench_results_add_row(struct bench_results *results, const char *name);

/* Makes room for another round and counts it. Returns 0 or -ENOMEM. */
int bench_results_add_round(struct bench_results *results);

void bench_results_done(struct bench_results *results);

/* Returns the row of this name, or NULL. */
const struct bench_result *
bench_results_find(const struct bench_results *results, const char *name);

/*
 * Adds the durations and rounds of @from, which must have the same rows
 * (-EINVAL). Idle times become the mean of all runs. Returns 0, -EINVAL or
 * -ENOMEM.
 */
int bench_results_merge(struct bench_results *to,
			const struct bench_results *from, struct error *err);

/* Returns a percentile of all durations, in microseconds. */
double bench_result_us(const struct bench_result *result, double fraction);

/* Returns the mean CPU time of one sample, in microseconds. */
double bench_result_cpu_us(const struct bench_result *result);

struct bench_ratio_values {
	double p50; /* the median, over all rounds, of the ratio of a round's medians */
	double p50_all; /* of the p50s of all durations */
	double p99;	/* of the p99s of all durations */
};

/* Whether all rows that the ratio compares are among the results. */
bool bench_ratio_exists(const struct bench_results *results,
			const struct bench_ratio *ratio);

/* Computes a ratio that exists. Returns 0 or -ENOMEM. */
int bench_ratio_compute(const struct bench_results *results,
			const struct bench_ratio *ratio,
			struct bench_ratio_values *ret_values);

#endif
