/* waterfall_report.h - the report of `thaw bench --waterfall`. */
#ifndef BENCH_WATERFALL_REPORT_H
#define BENCH_WATERFALL_REPORT_H

#include "bench/waterfall.h"

struct json_t; /* jansson's */

/*
 *	{"host": {...}, "floor", "guest", "warm", "hot_pages",
 *	 "code_pages", "code_lines", "steps": [{"step", "instructions", "time"}]}
 *
 * with times in nanoseconds; null is what was not measured. The caller owns it; @host is
 * borrowed. NULL: no memory.
 */
struct json_t *bench_waterfall_json(const struct bench_waterfall *waterfall,
				    struct json_t *host);

/* Prints the same on standard output as text. */
void bench_waterfall_print(const struct bench_waterfall *waterfall,
			   const struct json_t *host);

/* What people call a step. */
const char *bench_step_name(enum bench_step step);

#endif
