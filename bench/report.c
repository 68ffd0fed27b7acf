/* report.c - see report.h. */
#include "bench/report.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/json.h"
#include "bench/load_report.h"
#include "bench/plot.h"
#include "bench/table.h"
#include "bench/warn.h"

static enum bench_verdict bad_file(struct bench_end *end, int result)
{
	end->result = result;
	return BENCH_BAD_FILE;
}

static enum bench_verdict cannot_make(struct bench_end *end, const char *path)
{
	const int r = -errno;

	error_set(&end->error, r, "%s: %s", path, strerror(-r));
	return bad_file(end, r);
}

enum bench_verdict report_open(struct report *report, struct bench_end *end)
{
	const struct bench_options *options = report->options;
	const struct bench_texts *limits = &options->fail_if;
	int r = 0;

	for (size_t i = 0; i < limits->count; i++)
		if (bench_limit_parse(limits->values[i], &end->error,
				      &report->limits[i]))
			return BENCH_MISUSE;
	if (options->baseline)
		r = bench_json_load(options->baseline, &end->error,
				    &report->baseline);
	return r ? bad_file(end, r) : BENCH_OK;
}

void report_clear_rows(struct report *report)
{
	bench_results_done(&report->results);
	report->results = (struct bench_results){ .count = 0 };
}

enum bench_verdict report_add_row(struct report *report, const char *name,
				  struct bench_end *end)
{
	int r = bench_results_add_row(&report->results, name);

	if (!r)
		return BENCH_OK;
	error_set(&end->error, r, "no memory for histograms");
	return BENCH_FAILED;
}

int report_check(const struct report *report, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < report->options->fail_if.count && !r; i++)
		r = bench_limit_check(&report->limits[i], &report->results,
				      report->baseline, err);
	return r;
}

enum bench_verdict report_prepare(struct report *report, struct bench_end *end)
{
	const struct bench_options *options = report->options;

	if (options->plot && bench_plot_check(&end->error))
		return BENCH_UNABLE;
	if (options->plot && mkdir(options->plot, 0777) && errno != EEXIST)
		return cannot_make(end, options->plot);
	if (options->save)
		report->save = fopen(options->save, "we");
	if (options->save && !report->save)
		return cannot_make(end, options->save);
	return BENCH_OK;
}

static enum bench_verdict save(struct report *report, struct bench_end *end)
{
	json_auto_t *all = bench_json(&report->results, report->host, true);
	FILE *file = report->save;
	int r;

	report->save = NULL;
	json_object_update(all, report->load);
	r = all ? bench_json_print(all, false, file) : -ENOMEM;
	if (!fclose(file) && !r)
		return BENCH_OK;
	error_set(&end->error, -EIO, "cannot write to %s",
		  report->options->save);
	return BENCH_FAILED;
}

static enum bench_verdict judge(const struct report *report, const json_t *json)
{
	enum bench_verdict verdict = BENCH_OK;
	struct error error;

	for (size_t i = 0; i < report->options->fail_if.count; i++) {
		if (bench_limit_holds(&report->limits[i], json,
				      report->baseline, &error))
			continue;
		bench_warn("%s", error.message);
		verdict = BENCH_REGRESSION;
	}
	return verdict;
}

static void report_print(const struct report *report, const json_t *json)
{
	if (report->options->json)
		bench_json_print(json, true, stdout);
	else if (report->load)
		bench_load_print(json, report->baseline);
	else
		bench_table_print(json, report->baseline);
	fflush(stdout);
}

enum bench_verdict report_finish(struct report *report, struct bench_end *end)
{
	const char *plot = report->options->plot;
	json_auto_t *json = bench_json(&report->results, report->host, false);
	enum bench_verdict verdict = BENCH_OK;

	if (!json) {
		error_set(&end->error, -ENOMEM, "no memory for the results");
		return BENCH_FAILED;
	}
	json_object_update(json, report->load);
	report_print(report, json);
	if (report->save)
		verdict = save(report, end);
	if (!verdict && plot && bench_plot(&report->results, plot, &end->error))
		verdict = BENCH_FAILED;
	return verdict ? verdict : judge(report, json);
}

void report_done(struct report *report)
{
	json_decref(report->baseline);
	json_decref(report->host);
	json_decref(report->load);
	bench_results_done(&report->results);
	if (report->save)
		fclose(report->save);
}
