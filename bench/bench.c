/*
 * bench.c - the ways to run `thaw bench`, each from its options to its verdict.
 * rows.c has the rows and measure.c measures them; the other ways are in
 * rates.c, neighbours.c, waterfall.c, density.c and load_row.c.
 */
#include "bench/bench.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "bench/density.h"
#include "bench/density_report.h"
#include "bench/host.h"
#include "bench/json.h"
#include "bench/load_row.h"
#include "bench/measure.h"
#include "bench/merge.h"
#include "bench/neighbours.h"
#include "bench/neighbours_report.h"
#include "bench/rates.h"
#include "bench/rates_report.h"
#include "bench/report.h"
#include "bench/rows.h"
#include "bench/waterfall.h"
#include "bench/waterfall_plot.h"
#include "bench/waterfall_report.h"
#include "bench/waterfall_served.h"
#include "bench/waterfall_served_report.h"
#include "vm/kvm.h"

#define DURATION_DEFAULT_NS (10 * NS_PER_S)

static uint64_t duration_of(const struct bench_options *options)
{
	return options->duration_ns ? options->duration_ns :
				      DURATION_DEFAULT_NS;
}

static const char *restore_of(const struct bench_options *options)
{
	return options->restore ? options->restore : "copy";
}

static enum bench_verdict require_kvm(struct bench_end *end)
{
	const struct kvm_host *host;

	return kvm_open(&end->error, &host) ? BENCH_NO_KVM : BENCH_OK;
}

static enum bench_verdict measuring_failed(int result)
{
	return result == -ENODEV ? BENCH_UNABLE : BENCH_FAILED;
}

static enum bench_verdict nothing_left(struct bench_end *end)
{
	error_set(&end->error, -ENODEV, "nothing is left to be measured");
	return BENCH_UNABLE;
}

/* Gives the report its rows, still without durations. */
static enum bench_verdict list_rows(struct report *report,
				    const struct bench_rows *rows,
				    struct bench_end *end)
{
	enum bench_verdict verdict = BENCH_OK;

	report_clear_rows(report);
	for (size_t i = 0; i < rows->count && !verdict; i++)
		verdict = report_add_row(report, rows->rows[i].name, end);
	return verdict;
}

/* Some rows may have been skipped since the options were checked. */
static enum bench_verdict measure_open(struct report *report,
				       struct bench_rows *rows,
				       struct bench_end *end)
{
	enum bench_verdict verdict = list_rows(report, rows, end);
	int r;

	if (verdict)
		return verdict;
	if (!rows->count)
		return nothing_left(end);
	if (report_check(report, &end->error))
		return BENCH_UNABLE;
	r = bench_measure(rows, duration_of(report->options), &end->error,
			  &report->results);
	return r ? measuring_failed(r) : BENCH_OK;
}

static enum bench_verdict measure_rows(struct report *report,
				       struct bench_rows *rows,
				       struct bench_end *end)
{
	const char *restore = restore_of(report->options);
	int r = bench_rows_open(rows, restore, &end->error);
	enum bench_verdict verdict = r ? measuring_failed(r) :
					 measure_open(report, rows, end);

	bench_rows_done(rows);
	if (!verdict)
		report->host = bench_host_json(restore);
	return verdict;
}

static enum bench_verdict run_rows(struct report *report, struct bench_end *end)
{
	const struct bench_texts *only = &report->options->only;
	enum bench_verdict verdict = report_open(report, end);
	struct bench_rows rows;

	if (verdict)
		return verdict;
	if (bench_rows_choose(only->values, only->count, &end->error, &rows))
		return BENCH_MISUSE;
	verdict = list_rows(report, &rows, end);
	if (!verdict && report_check(report, &end->error))
		return BENCH_MISUSE;
	if (!verdict)
		verdict = require_kvm(end);
	if (!verdict)
		verdict = report_prepare(report, end);
	if (!verdict)
		verdict = measure_rows(report, &rows, end);
	return verdict ? verdict : report_finish(report, end);
}

static enum bench_verdict run_merge(struct report *report,
				    const struct bench_texts *files,
				    struct bench_end *end)
{
	enum bench_verdict verdict = report_open(report, end);
	int r;

	if (verdict)
		return verdict;
	r = bench_merge(files->values, files->count, &end->error,
			&report->results, &report->host);
	if (r) {
		end->result = r;
		return BENCH_BAD_FILE;
	}
	if (report_check(report, &end->error))
		return BENCH_MISUSE;
	verdict = report_prepare(report, end);
	return verdict ? verdict : report_finish(report, end);
}

static enum bench_verdict report_rates(const struct report *report,
				       const struct bench_rates *rates,
				       struct bench_end *end)
{
	const struct bench_options *options = report->options;
	json_auto_t *json = bench_rates_json(rates, report->host);

	if (options->json)
		bench_json_print(json, true, stdout);
	else
		bench_rates_print(rates, report->host);
	fflush(stdout);
	if (options->plot &&
	    bench_rates_plot(rates, options->plot, &end->error))
		return BENCH_FAILED;
	return BENCH_OK;
}

static enum bench_verdict run_rates(struct report *report,
				    struct bench_end *end)
{
	const struct bench_options *options = report->options;
	enum bench_verdict verdict = require_kvm(end);
	struct bench_rates rates;
	int r;

	if (!verdict)
		verdict = report_prepare(report, end);
	if (verdict)
		return verdict;
	r = bench_rates_measure(restore_of(options), duration_of(options),
				&end->error, &rates);
	if (r)
		return measuring_failed(r);
	report->host = bench_host_json(restore_of(options));
	return report_rates(report, &rates, end);
}

static enum bench_verdict run_neighbours(struct report *report,
					 struct bench_end *end)
{
	const struct bench_options *options = report->options;
	struct bench_neighbours neighbours;
	enum bench_verdict verdict;
	json_auto_t *json = NULL;
	int r;

	if (bench_neighbours_choose(options->only.values, options->only.count,
				    &end->error, &neighbours))
		return BENCH_MISUSE;
	verdict = require_kvm(end);
	if (verdict)
		return verdict;
	r = bench_neighbours_measure(duration_of(options), &end->error,
				     &neighbours);
	if (r)
		return measuring_failed(r);
	if (!neighbours.count)
		return nothing_left(end);
	report->host = bench_host_json(NULL);
	json = bench_neighbours_json(&neighbours, report->host);
	if (options->json)
		bench_json_print(json, true, stdout);
	else
		bench_neighbours_print(&neighbours, report->host);
	return BENCH_OK;
}

static enum bench_verdict
report_waterfall(const struct report *report,
		 const struct bench_waterfall *waterfall,
		 const struct bench_served *served, struct bench_end *end)
{
	const struct bench_options *options = report->options;
	json_auto_t *json = bench_waterfall_json(waterfall, report->host);

	json_object_set_new(json, "served", bench_served_json(served));
	if (options->json) {
		bench_json_print(json, true, stdout);
	} else {
		bench_waterfall_print(waterfall, report->host);
		bench_served_print(served);
	}
	fflush(stdout);
	if (options->plot &&
	    bench_waterfall_plot(waterfall, served, options->plot, &end->error))
		return BENCH_FAILED;
	return BENCH_OK;
}

static enum bench_verdict run_waterfall(struct report *report,
					struct bench_end *end)
{
	const uint64_t half_ns = duration_of(report->options) / 2;
	struct bench_waterfall waterfall;
	struct bench_served served;
	enum bench_verdict verdict = require_kvm(end);
	int r;

	if (!verdict)
		verdict = report_prepare(report, end);
	if (verdict)
		return verdict;
	r = bench_waterfall_measure(half_ns, &end->error, &waterfall);
	if (!r)
		r = bench_served_measure(half_ns, &end->error, &served);
	if (r)
		return measuring_failed(r);
	report->host = bench_host_json(NULL);
	return report_waterfall(report, &waterfall, &served, end);
}

static enum bench_verdict report_density(const struct report *report,
					 const struct bench_density *density,
					 struct bench_end *end)
{
	const struct bench_options *options = report->options;
	json_auto_t *json = bench_density_json(density, report->host);

	if (options->json)
		bench_json_print(json, true, stdout);
	else
		bench_density_print(density, report->host);
	fflush(stdout);
	if (options->plot &&
	    bench_density_plot(density, options->plot, &end->error))
		return BENCH_FAILED;
	return BENCH_OK;
}

static enum bench_verdict run_density(struct report *report,
				      struct bench_end *end)
{
	enum bench_verdict verdict = require_kvm(end);
	struct bench_density density;
	int r;

	if (!verdict)
		verdict = report_prepare(report, end);
	if (verdict)
		return verdict;
	r = bench_density_measure(&end->error, &density);
	if (r)
		return r == -EMFILE ? BENCH_UNABLE : measuring_failed(r);
	if (!density.count && !density.functions)
		return nothing_left(end);
	report->host = bench_host_json(NULL);
	return report_density(report, &density, end);
}

/* Reports as on rows, and adds what is known about the load. */
static enum bench_verdict run_load(struct report *report,
				   const struct bench_load *load,
				   struct bench_end *end)
{
	enum bench_verdict verdict = report_open(report, end);

	if (!verdict)
		verdict = report_add_row(report, BENCH_LOAD_ROW, end);
	if (!verdict && report_check(report, &end->error))
		return BENCH_MISUSE;
	if (!verdict)
		verdict = report_prepare(report, end);
	if (!verdict)
		verdict = bench_load_measure(load, duration_of(report->options),
					     &report->results, &report->load,
					     end);
	if (verdict)
		return verdict;
	report->host = bench_host_json(NULL);
	verdict = report_finish(report, end);
	if (!verdict && !report->results.count)
		return BENCH_UNANSWERED;
	return verdict;
}

static enum bench_verdict bench_finish(struct report *report,
				       struct bench_end *end,
				       enum bench_verdict verdict)
{
	report_done(report);
	end->verdict = verdict;
	return verdict;
}

enum bench_verdict bench_run_rows(const struct bench_options *options,
				  struct bench_end *ret_end)
{
	struct report report = { .options = options };

	*ret_end = (struct bench_end){ .verdict = BENCH_OK };
	return bench_finish(&report, ret_end, run_rows(&report, ret_end));
}

enum bench_verdict bench_run_merge(const struct bench_options *options,
				   const struct bench_texts *files,
				   struct bench_end *ret_end)
{
	struct report report = { .options = options };

	*ret_end = (struct bench_end){ .verdict = BENCH_OK };
	return bench_finish(&report, ret_end,
			    run_merge(&report, files, ret_end));
}

enum bench_verdict bench_run_rates(const struct bench_options *options,
				   struct bench_end *ret_end)
{
	struct report report = { .options = options };

	*ret_end = (struct bench_end){ .verdict = BENCH_OK };
	return bench_finish(&report, ret_end, run_rates(&report, ret_end));
}

enum bench_verdict bench_run_neighbours(const struct bench_options *options,
					struct bench_end *ret_end)
{
	struct report report = { .options = options };

	*ret_end = (struct bench_end){ .verdict = BENCH_OK };
	return bench_finish(&report, ret_end, run_neighbours(&report, ret_end));
}

enum bench_verdict bench_run_waterfall(const struct bench_options *options,
				       struct bench_end *ret_end)
{
	struct report report = { .options = options };

	*ret_end = (struct bench_end){ .verdict = BENCH_OK };
	return bench_finish(&report, ret_end, run_waterfall(&report, ret_end));
}

enum bench_verdict bench_run_density(const struct bench_options *options,
				     struct bench_end *ret_end)
{
	struct report report = { .options = options };

	*ret_end = (struct bench_end){ .verdict = BENCH_OK };
	return bench_finish(&report, ret_end, run_density(&report, ret_end));
}

enum bench_verdict bench_run_load(const struct bench_options *options,
				  const struct bench_load *load,
				  struct bench_end *ret_end)
{
	struct report report = { .options = options };

	*ret_end = (struct bench_end){ .verdict = BENCH_OK };
	return bench_finish(&report, ret_end, run_load(&report, load, ret_end));
}
