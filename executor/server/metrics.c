/* metrics.c - durations into buckets, and the labels' words. See metrics.h. */
#include "executor/server/metrics.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/hot.h"

/* 1, 2.5, 5 and so on */
/* clang-format off */
const uint32_t metrics_bounds_us[METRICS_BUCKETS] = {
	5,
	10, 25, 50,
	100, 250, 500,
	1000, 2500, 5000, /* 1 ms */
	10000, 25000, 50000,
	100000, 250000, 500000,
	1000000, 2500000, 5000000, /* 1 s */
	10000000,
};
/* clang-format on */

#define STEP_FIRST 16
_Static_assert(METRICS_BUCKETS >= STEP_FIRST &&
		       METRICS_BUCKETS < 2 * STEP_FIRST,
	       "the search must reach every bucket");

/*
 * The first bucket whose bound is not below @ns, or the one above all: as many
 * steps for every duration, so that nothing is to be predicted.
 */
static size_t find_bucket(uint64_t ns)
{
	size_t at = 0;

	for (size_t step = STEP_FIRST; step; step /= 2)
		if (at + step <= METRICS_BUCKETS &&
		    ns > metrics_bounds_us[at + step - 1] * NS_PER_US)
			at += step;
	return at;
}

HOT void metrics_observe(struct metrics_histogram *histogram, uint64_t ns)
{
	metrics_add(&histogram->buckets[find_bucket(ns)], 1);
	metrics_add(&histogram->sum_ns, ns);
}

const char *metrics_outcome_name(enum metrics_outcome outcome)
{
	static const char *const names[METRICS_OUTCOMES] = {
		[METRICS_OK] = "ok",
		[METRICS_FUNCTION_ERROR] = "function_error",
		[METRICS_TIMEOUT] = "timeout",
		[METRICS_CRASH] = "crash",
		[METRICS_OOM] = "oom",
		[METRICS_TOO_LARGE] = "too_large",
		[METRICS_THROTTLED] = "throttled",
		[METRICS_REFUSED] = "refused",
		[METRICS_FAILED] = "failed",
	};

	return names[outcome];
}

const char *metrics_phase_name(enum metrics_phase phase)
{
	static const char *const names[METRICS_PHASES] = {
		[METRICS_QUEUE] = "queue",
		[METRICS_RUN] = "run",
		[METRICS_RESTORE] = "restore",
	};

	return names[phase];
}

const char *metrics_trim_name(enum metrics_trim trim)
{
	static const char *const names[METRICS_TRIMS] = {
		[METRICS_TRIM_IDLE] = "idle",
		[METRICS_TRIM_PRESSURE] = "pressure",
		[METRICS_TRIM_LIMIT] = "limit",
	};

	return names[trim];
}
