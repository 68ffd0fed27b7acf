/*
 * report.h - the end of a run of rows, of a merge, or of load: the report, the
 * saved file, the pictures, and whether the limits hold.
 *
 *	struct report report = { .options = options };
 *
 *	v = report_open(&report, end);		before the rows are known
 *	report_add_row(&report, "floor.run", ...);
 *	report_check(&report, &error);
 *	v = report_prepare(&report, end);	before time is spent
 *	...					fill report.results
 *	v = report_finish(&report, end);
 *	report_done(&report);			whatever the verdicts
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdio.h>

#include "bench/limit.h"
#include "bench/options.h"
#include "bench/results.h"

struct json_t; /* jansson's */

struct report {
	const struct bench_options *options; /* borrowed */
	struct bench_limit limits[BENCH_REPEATED_MAX];
	struct json_t *baseline; /* NULL without */
	FILE *save;		 /* NULL without */
	struct bench_results results;
	struct json_t *host; /* the machine's facts; set by the caller */
	struct json_t *load; /* what a report on load has besides, or NULL */
};

/* Reads the limits and the baseline. */
enum bench_verdict report_open(struct report *report, struct bench_end *end);

/* Removes all rows. */
void report_clear_rows(struct report *report);

/* Adds a row without durations. */
enum bench_verdict report_add_row(struct report *report, const char *name,
				  struct bench_end *end);

/*
 * Checks that these rows are enough to judge all limits. Returns 0 or -EINVAL.
 */
int report_check(const struct report *report, struct error *err);

/*
 * Opens the file and makes sure that pictures can be drawn: what can fail,
 * fails before time is spent on measuring.
 */
enum bench_verdict report_prepare(struct report *report, struct bench_end *end);

/* Prints, saves, draws and judges, as the options say. */
enum bench_verdict report_finish(struct report *report, struct bench_end *end);

void report_done(struct report *report);

#endif
