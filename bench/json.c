/* json.c - see json.h. */
#include "bench/json.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Digits that show numbers rounded to thousandths. */
#define DIGITS JSON_REAL_PRECISION(12)

json_t *bench_json_number(double value)
{
	const double half = value < 0 ? -0.5 : 0.5;

	return json_real((double)(int64_t)(value * 1000 + half) / 1000);
}

static json_t *percentile_json(const struct bench_result *result,
			       double fraction)
{
	return bench_json_number(bench_result_us(result, fraction));
}

static void add_raw(json_t *object, const struct bench_result *result,
		    size_t rounds)
{
	const struct histogram *histogram = result->histogram;
	json_t *pairs = json_array(), *p50s = json_array();
	uint64_t ns, count;
	size_t index = 0;

	while (histogram_next(histogram, &index, &ns, &count))
		json_array_append_new(pairs, json_pack("[I, I]", (json_int_t)ns,
						       (json_int_t)count));
	for (size_t i = 0; i < rounds; i++)
		json_array_append_new(p50s, json_real(result->round_p50_ns[i]));
	json_object_set_new(object, "least_ns",
			    json_integer((json_int_t)histogram->least_ns));
	json_object_set_new(object, "greatest_ns",
			    json_integer((json_int_t)histogram->greatest_ns));
	json_object_set_new(object, "cpu_ns",
			    json_integer((json_int_t)result->cpu_ns));
	json_object_set_new(object, "histogram", pairs);
	json_object_set_new(object, "round_p50_ns", p50s);
}

static json_t *result_json(const struct bench_result *result, size_t rounds,
			   bool raw)
{
	const uint64_t count = result->histogram->count;
	json_t *p999 = count < BENCH_P999_SAMPLES ?
			       json_null() :
			       percentile_json(result, 0.999);
	json_t *object =
		json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}",
			  "name", result->name, "unit", "us", "n",
			  (json_int_t)count, "p50",
			  percentile_json(result, 0.50), "p90",
			  percentile_json(result, 0.90), "p99",
			  percentile_json(result, 0.99), "p999", p999, "max",
			  percentile_json(result, 1), "cpu",
			  bench_json_number(bench_result_cpu_us(result)));

	if (result->exits)
		json_object_set_new(object, "exits",
				    json_integer((json_int_t)result->exits));
	if (raw)
		add_raw(object, result, rounds);
	return object;
}

static json_t *ratios_json(const struct bench_results *results)
{
	json_t *array = json_array();

	for (const struct bench_ratio *ratio = bench_ratios; ratio->name;
	     ratio++) {
		struct bench_ratio_values values;

		if (!bench_ratio_exists(results, ratio))
			continue;
		if (bench_ratio_compute(results, ratio, &values)) {
			json_decref(array);
			return NULL;
		}
		json_array_append_new(
			array,
			json_pack("{s:s, s:o, s:o, s:o}", "name", ratio->name,
				  "p50", bench_json_number(values.p50), "p99",
				  bench_json_number(values.p99), "p50_all",
				  bench_json_number(values.p50_all)));
	}
	return array;
}

static json_t *idle_json(const struct bench_results *results)
{
	json_t *array = json_array();

	for (size_t i = 0; i < results->count; i++) {
		const struct bench_result *row = &results->rows[i];

		if (!row->has_idle)
			continue;
		json_array_append_new(array,
				      json_pack("{s:s, s:o}", "name", row->name,
						"cpu_us_per_s",
						bench_json_number(
							row->idle_us)));
	}
	return array;
}

json_t *bench_json(const struct bench_results *results, json_t *host, bool raw)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < results->count; i++)
		json_array_append_new(rows, result_json(&results->rows[i],
							results->rounds, raw));
	return json_pack("{s:O, s:I, s:I, s:o, s:o, s:o}", "host", host, "runs",
			 (json_int_t)results->runs, "rounds",
			 (json_int_t)results->rounds, "results", rows, "ratios",
			 ratios_json(results), "idle", idle_json(results));
}

int bench_json_print(const json_t *report, bool pretty, FILE *file)
{
	const size_t flags = DIGITS | (pretty ? JSON_INDENT(2) : JSON_COMPACT);

	if (json_dumpf(report, file, flags) || fputc('\n', file) == EOF)
		return -EIO;
	return 0;
}

int bench_json_load(const char *path, struct error *err, json_t **ret_report)
{
	json_error_t where;
	json_t *report;

	errno = 0;
	report = json_load_file(path, 0, &where);
	if (!report && errno)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!report)
		return error_set(err, -EINVAL, "%s:%d: %s", path, where.line,
				 where.text);
	if (!json_is_array(json_object_get(report, "results")) ||
	    !json_is_array(json_object_get(report, "ratios"))) {
		json_decref(report);
		return error_set(err, -EINVAL,
				 "%s: not what `thaw bench` writes as JSON",
				 path);
	}
	*ret_report = report;
	return 0;
}

/* Returns the member of @array with this name. */
static const json_t *bench_json_find(const json_t *array, const char *name)
{
	const json_t *object;
	size_t index;

	json_array_foreach(array, index, object)
	{
		const char *text =
			json_string_value(json_object_get(object, "name"));

		if (text && !strcmp(text, name))
			return object;
	}
	return NULL;
}

/* Reads the histogram of a result. The file may have been tampered with. */
static int read_histogram(const json_t *object, struct histogram *histogram)
{
	const json_t *least = json_object_get(object, "least_ns");
	const json_t *greatest = json_object_get(object, "greatest_ns");
	const json_t *pair;
	size_t index;

	json_array_foreach(json_object_get(object, "histogram"), index, pair)
	{
		json_int_t ns = json_integer_value(json_array_get(pair, 0));
		json_int_t n = json_integer_value(json_array_get(pair, 1));

		if (ns < 0 || n <= 0)
			return -EINVAL;
		histogram_add_many(histogram, (uint64_t)ns, (uint64_t)n);
	}
	if (!histogram->count || json_integer_value(least) < 0 ||
	    json_integer_value(greatest) < json_integer_value(least))
		return -EINVAL;
	histogram->least_ns = (uint64_t)json_integer_value(least);
	histogram->greatest_ns = (uint64_t)json_integer_value(greatest);
	return 0;
}

static int read_rounds(const json_t *object, const struct bench_result *row,
		       size_t rounds)
{
	const json_t *p50s = json_object_get(object, "round_p50_ns");

	if (json_array_size(p50s) != rounds)
		return -EINVAL;
	for (size_t i = 0; i < rounds; i++) {
		double ns = json_number_value(json_array_get(p50s, i));

		if (!(ns > 0))
			return -EINVAL;
		row->round_p50_ns[i] = ns;
	}
	return 0;
}

static int read_cpu(const json_t *object, struct bench_result *row)
{
	json_int_t ns = json_integer_value(json_object_get(object, "cpu_ns"));

	if (ns < 0)
		return -EINVAL;
	row->cpu_ns = (uint64_t)ns;
	return 0;
}

/* A file of an older version has none. */
static int read_exits(const json_t *object, struct bench_result *row)
{
	json_int_t exits = json_integer_value(json_object_get(object, "exits"));

	if (exits < 0)
		return -EINVAL;
	row->exits = (uint64_t)exits;
	return 0;
}

static void read_idle(const json_t *array, struct bench_results *results)
{
	for (size_t i = 0; i < results->count; i++) {
		struct bench_result *row = &results->rows[i];
		const json_t *us =
			json_object_get(bench_json_find(array, row->name),
					"cpu_us_per_s");

		row->has_idle = json_is_number(us);
		row->idle_us = json_number_value(us);
	}
}

static int read_rows(const json_t *rows, struct bench_results *results)
{
	const json_t *row;
	size_t index, rounds;
	int r = 0;

	if (!json_array_size(rows) || json_array_size(rows) > BENCH_ROWS_MAX)
		return -EINVAL;
	json_array_foreach(rows, index, row)
	{
		const char *name =
			json_string_value(json_object_get(row, "name"));

		if (!name)
			return -EINVAL;
		r = bench_results_add_row(results, name);
		if (r)
			return r;
	}
	rounds = json_array_size(
		json_object_get(json_array_get(rows, 0), "round_p50_ns"));
	if (!rounds)
		return -EINVAL;
	while (results->rounds < rounds && !r)
		r = bench_results_add_round(results);
	for (size_t i = 0; i < results->count && !r; i++) {
		row = json_array_get(rows, i);
		r = read_histogram(row, results->rows[i].histogram);
		if (!r)
			r = read_rounds(row, &results->rows[i], rounds);
		if (!r)
			r = read_cpu(row, &results->rows[i]);
		if (!r)
			r = read_exits(row, &results->rows[i]);
	}
	return r;
}

int bench_json_results(const json_t *report, const char *path,
		       struct error *err, struct bench_results *results)
{
	json_int_t runs = json_integer_value(json_object_get(report, "runs"));
	int r = read_rows(json_object_get(report, "results"), results);

	if (!r && runs < 1)
		r = -EINVAL;
	if (r == -EINVAL)
		return error_set(err, r,
				 "%s: not what `thaw bench --save` writes",
				 path);
	if (r)
		return error_set(err, r, "%s: %s", path, strerror(-r));
	results->runs = (size_t)runs;
	read_idle(json_object_get(report, "idle"), results);
	return 0;
}

const json_t *bench_json_value(const json_t *report, const char *name,
			       const char *field)
{
	const json_t *object =
		bench_json_find(json_object_get(report, "results"), name);

	if (!object)
		object = bench_json_find(json_object_get(report, "ratios"),
					 name);
	return json_object_get(object, field);
}
