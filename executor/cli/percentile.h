/*
 * percentile.h - percentiles of values that were counted in buckets, as in the
 * server's histograms.
 */
#ifndef EXECUTOR_CLI_PERCENTILE_H
#define EXECUTOR_CLI_PERCENTILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Returns the value below which the part @p (0 to 1) of all counted values
 * lies. counts[i] values were over bounds[i - 1] (0 for the first) up to
 * bounds[i]; counts[count] were over all bounds. Values are taken to be spread
 * evenly inside a bucket. NAN: nothing was counted; INFINITY: the value is over
 * all bounds.
 */
double percentile(const uint64_t *bounds, const uint64_t *counts, size_t count,
		  double p);

/* Room for a formatted time, its zero included. */
#define PERCENTILE_TEXT_MAX 32

/*
 * Writes a time of microseconds for a column: "4.2us", "310us", "1.25ms",
 * "3.0s", "-" for NAN, and ">10s", @last_us being 10000000, for INFINITY.
 */
char *percentile_format(double us, double last_us,
			char text[static PERCENTILE_TEXT_MAX]);

#endif
