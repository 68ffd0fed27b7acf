/*
 * limit.h - the limits of `thaw bench --fail-if`.
 *
 *	NAME.FIELD>+PERCENT%	than the baseline's
 *	NAME.FIELD>NUMBER[us]	whatever the baseline says
 *
 * NAME is a row or a ratio, FIELD one of p50, p90, p99, p999 and max; ratios
 * have p50 and p99 only, and no unit.
 */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <stdbool.h>

#include "base/error.h"
#include "bench/results.h"

struct json_t; /* jansson's */

struct bench_limit {
	const char *text; /* borrowed */
	char name[64];
	char field[8];
	bool is_relative; /* to the baseline */
	bool has_unit;
	double limit; /* percent, or microseconds, or a ratio */
};

/* Reads a limit. Returns 0, or -EINVAL after a message. */
int bench_limit_parse(const char *text, struct error *err,
		      struct bench_limit *ret_limit);

/*
 * Checks that the limit can be judged: its row or ratio is one of @results,
 * whose rows may still be without durations, and @baseline (or NULL) has it, if
 * the limit needs one. Returns 0, or -EINVAL after a message.
 */
int bench_limit_check(const struct bench_limit *limit,
		      const struct bench_results *results,
		      const struct json_t *baseline, struct error *err);

/* Whether @report keeps the limit. If not, *@err says how. */
bool bench_limit_holds(const struct bench_limit *limit,
		       const struct json_t *report,
		       const struct json_t *baseline, struct error *err);

#endif
