/* load_report.h - what became of a load, as JSON and as text. */
#ifndef BENCH_LOAD_REPORT_H
#define BENCH_LOAD_REPORT_H

#include "bench/load.h"

struct json_t; /* jansson's */

/*
 * What a report on load has besides:
 *
 *	{"target", "function", "protocol": "http" | "socket",
 *	 "connections", "threads", "target_rate": R | null,
 *	 "arrivals": "uniform" | "poisson" | null, "duration_s",
 *	 "requests", "ok", "errors", "lost", "late", "unsent", "rate",
 *	 "reconnections", "statuses": {"200": n, ...}}
 *
 * "requests" is the sum of the next three; "rate" is replies per second. The
 * caller owns it. NULL: no memory.
 */
struct json_t *bench_load_json(const char *function,
			       const struct load_options *load,
			       const struct load_result *result);

/* Prints the report on standard output as text; @baseline may be NULL. */
void bench_load_print(const struct json_t *report,
		      const struct json_t *baseline);

#endif
