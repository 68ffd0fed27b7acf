/* rates_report.h - the report of `thaw bench --rates`. */
#ifndef BENCH_RATES_REPORT_H
#define BENCH_RATES_REPORT_H

#include "base/error.h"
#include "bench/rates.h"

struct json_t; /* jansson's */

/*
 *	{"host": {...},
 *	 "rates": [{"mode", "rate", "n", "p50", "p99", "cpu"}],
 *	 "saturated": [{"mode", "rate"}]}
 *
 * in microseconds. The caller owns it; @host is borrowed. NULL: no memory.
 */
struct json_t *bench_rates_json(const struct bench_rates *rates,
				struct json_t *host);

/* Prints the same on standard output as text. */
void bench_rates_print(const struct bench_rates *rates,
		       const struct json_t *host);

/*
 * Draws rate.svg in @directory, which must exist: p50 and p99 over the rate, a
 * line for each mode. 0 or -errno, -EPROTO if gnuplot fails.
 */
int bench_rates_plot(const struct bench_rates *rates, const char *directory,
		     struct error *err);

#endif
