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

/* A number as it is printed: rounded to thousandths. The caller owns it. */
struct json_t *bench_json_number(double value);

/*
 * All of it, @raw with what --save adds; the caller owns it. @host is
 * borrowed. NULL: no memory.
 */
struct json_t *bench_json(const struct bench_results *results,
			  struct json_t *host, bool raw);

/* Prints it as text. 0, or -EIO. */
int bench_json_print(const struct json_t *report, bool pretty, FILE *file);

/* Reads a file that bench_json_print() has written. -errno, or -EINVAL. */
int bench_json_load(const char *path, struct error *err,
		    struct json_t **ret_report);

/*
 * Reads the results of a report with histograms; @results is empty, and to be
 * freed whatever comes of it. -EINVAL: there are none.
 */
int bench_json_results(const struct json_t *report, const char *path,
		       struct error *err, struct bench_results *results);

/*
 * What the report says of the field ("p50", ..., "max") of a result or ratio:
 * NULL if there is none, a JSON null if there are too few samples. Borrowed.
 */
const struct json_t *bench_json_value(const struct json_t *report,
				      const char *name, const char *field);

#endif
