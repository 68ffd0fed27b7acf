/* waterfall_served_report.h - the report of waterfall_served.h. */
#ifndef BENCH_WATERFALL_SERVED_REPORT_H
#define BENCH_WATERFALL_SERVED_REPORT_H

#include "bench/waterfall_served.h"

struct json_t; /* jansson's */

/*
 *	{"floor", "warm", "http": {...}, "socket": {...}}
 *
 * with, for each way,
 *
 *	{"echo", "whole", "calls", "code_pages", "code_lines",
 *	 "steps": [{"step", "instructions"}]}
 *
 * Times are in nanoseconds; null is what was not measured. The caller owns it. NULL: no
 * memory.
 */
struct json_t *bench_served_json(const struct bench_served *served);

/* Prints the same on standard output as text. */
void bench_served_print(const struct bench_served *served);

/* What people call a step. */
const char *bench_served_step_name(enum bench_served_step step);

#endif
