/*
 * load_bench.h - `thaw bench NAME`: load on a server as the one row of a report.
 */
#ifndef BENCH_LOAD_BENCH_H
#define BENCH_LOAD_BENCH_H

#include <stdint.h>

#include "bench/options.h"
#include "bench/results.h"

struct json_t; /* jansson's */

/* The name of the row: the requests that went well. */
#define BENCH_LOAD_ROW "load"

/*
 * Puts the load @what on its server for @duration_ns. @results has the row,
 * without durations yet. Gives *@ret_load what bench_load_json() makes, which
 * the caller owns. If no request went well, warns, sets the status in *@end,
 * and takes the row out of @results.
 */
enum bench_verdict bench_load_measure(const struct bench_load *what,
				      uint64_t duration_ns,
				      struct bench_results *results,
				      struct json_t **ret_load,
				      struct bench_end *end);

#endif
