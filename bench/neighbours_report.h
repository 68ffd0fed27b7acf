/* neighbours_report.h - the report of `thaw bench --neighbours`. */
#ifndef BENCH_NEIGHBOURS_REPORT_H
#define BENCH_NEIGHBOURS_REPORT_H

#include "bench/neighbours.h"

struct json_t; /* jansson's */

/*
 *	{"host": {...},
 *	 "neighbours": [{"kind", "idle_p50", "idle_p99", "n", "failed", "p50",
 *			 "p99", "max", "ratio", "bound", "holds", "attacks",
 *			 "status"}]}
 *
 * in microseconds; "ratio" is p99/idle_p99, "status" HTTP's, or null. The caller
 * owns it; @host is borrowed. NULL: no memory.
 */
struct json_t *bench_neighbours_json(const struct bench_neighbours *neighbours,
				     struct json_t *host);

/* Prints the same on standard output as text. */
void bench_neighbours_print(const struct bench_neighbours *neighbours,
			    const struct json_t *host);

#endif
