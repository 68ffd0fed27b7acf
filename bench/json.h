/*
 * json.h - the results of `thaw bench` as JSON, and back.
 *
 *	{"host": {...}, "runs": 1, "rounds": 70,
 *	 "results": [{"name", "unit": "us", "n",
 *		      "p50", "p90", "p99", "p999", "max", "cpu"}],
 *	 "ratios": [{"name", "p50", "p99", "p50_all"}],
 *	 "idle": [{"name", "cpu_us_per_s"}]}
 *
 * "p999" is null where there are too few samples. What --save writes has with
 * each result also "least_ns", "greatest_ns", "cpu_ns", of all samples,
 * "histogram", an array of [nanoseconds, count], and "round_p50_ns", an array.
 */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "bench/results.h"

struct json_t; /* jansson's */

/* Returns a number rounded to thousandths; the caller owns it. */
struct json_t *bench_json_number(double value);

/*
 * Returns the whole report, with what --save adds if @raw; the caller owns it.
 * @host is borrowed. NULL: no memory.
 */
struct json_t *bench_json(const struct bench_results *results,
			  struct json_t *host, bool raw);

/* Prints a report as text. Returns 0 or -EIO. */
int bench_json_print(const struct json_t *report, bool pretty, FILE *file);

/*
 * Reads a file that bench_json_print() has written. Returns 0, -errno, or
 * -EINVAL: it is no such file.
 */
int bench_json_load(const char *path, struct error *err,
		    struct json_t **ret_report);

/*
 * Reads the results of a report with histograms into @results, which is empty
 * before; the caller frees it in any case. -EINVAL: there are none.
 */
int bench_json_results(const struct json_t *report, const char *path,
		       struct error *err, struct bench_results *results);

/*
 * Returns the field ("p50", ..., "max") of a result or ratio, borrowed: NULL if
 * there is none, a JSON null if there are too few samples.
 */
const struct json_t *bench_json_value(const struct json_t *report,
				      const char *name, const char *field);

#endif
