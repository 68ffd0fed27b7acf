/*
 * load_row.h - `thaw bench NAME`: load on a server as the one row of a report.
 */
#ifndef BENCH_LOAD_ROW_H
#define BENCH_LOAD_ROW_H

#include <stdint.h>

#include "bench/options.h"
#include "bench/results.h"

struct json_t; /* jansson's */

/* The name of the row: the requests that went well. */
#define BENCH_LOAD_ROW "load"

/*
 * Puts the load @what on its server for @duration_ns. @results has the row,
 * still without durations. *@ret_load is set to what bench_load_json() makes,
 * and the caller owns it. If no request went well, the call prints a warning,
 * sets the status in *@end, and removes the row from @results.
 */
enum bench_verdict bench_load_measure(const struct bench_load *what,
				      uint64_t duration_ns,
				      struct bench_results *results,
				      struct json_t **ret_load,
				      struct bench_end *end);

#endif
