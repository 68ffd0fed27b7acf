/*
 * load_bench.h - `thaw bench NAME`: load on a server, as a report of one row.
 */
#ifndef BENCH_LOAD_BENCH_H
#define BENCH_LOAD_BENCH_H

#include "bench/load.h"
#include "bench/options.h"
#include "bench/results.h"

struct json_t; /* jansson's */

/* The name of the row: the requests that went well. */
#define BENCH_LOAD_ROW "load"

/*
 * Puts the load on the server that @options say. @results has the row, without
 * durations yet; if no request went well, it has none when this returns.
 * CLI_GO_ON, what bench_load_json() makes in *@ret_load, and in *@ret_outcome
 * the exit code in the end: CLI_OK if any request went well; or an exit code
 * after a message.
 */
int bench_load(const struct bench_options *options,
	       struct bench_results *results, struct json_t **ret_load,
	       int *ret_outcome);

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
struct json_t *bench_load_json(const struct bench_options *options,
			       const struct load_options *load,
			       const struct load_result *result);

/* Prints the report on standard output, for people; @baseline may be NULL. */
void bench_load_print(const struct json_t *report,
		      const struct json_t *baseline);

#endif
