/*
 * cmd_bench.c - `thaw bench`: what invocations cost on this machine, and what
 * the least is that they could cost. What is measured is in bench/rows.c, how
 * in bench/measure.c; --rates is in bench/rates.c, --neighbours in
 * bench/neighbours.c, load on a server in bench/load_bench.c.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "bench/host.h"
#include "bench/json.h"
#include "bench/limit.h"
#include "bench/load_bench.h"
#include "bench/merge.h"
#include "bench/neighbours.h"
#include "bench/options.h"
#include "bench/plot.h"
#include "bench/rates.h"
#include "bench/results.h"
#include "bench/table.h"
#include "executor/cli/cli.h"
#include "executor/cli/verbs.h"

#define DURATION_DEFAULT_NS (10 * NS_PER_S)

/* What there is between the steps of run(). */
struct bench {
	struct bench_options options;
	struct bench_limit limits[BENCH_REPEATED_MAX];
	json_t *baseline;
	struct bench_results results;
	json_t *host;
	json_t *load; /* what a report on load has besides; else NULL */
	FILE *save;
};

/* A file of the user's that is no good. */
static int file_error(int result, const struct error *error)
{
	cli_error("%s", error->message);
	return result == -EINVAL ? CLI_USAGE : cli_open_code(result);
}

static int parse_limits(struct bench *bench)
{
	const struct bench_texts *texts = &bench->options.fail_if;
	struct error error;

	for (size_t i = 0; i < texts->count; i++)
		if (bench_limit_parse(texts->values[i], &error,
				      &bench->limits[i]))
			return bench_usage_error(error.message);
	return CLI_GO_ON;
}

/* 0, or -EINVAL and a message. */
static int check_limits(const struct bench *bench, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < bench->options.fail_if.count && !r; i++)
		r = bench_limit_check(&bench->limits[i], &bench->results,
				      bench->baseline, err);
	return r;
}

/* The rows that there are results of to be. */
static int list_rows(struct bench *bench, const struct bench_rows *rows)
{
	bench_results_done(&bench->results);
	bench->results = (struct bench_results){ .count = 0 };
	for (size_t i = 0; i < rows->count; i++)
		if (bench_results_add_row(&bench->results,
					  rows->rows[i].name)) {
			cli_error("no memory for histograms");
			return CLI_INTERNAL;
		}
	return CLI_GO_ON;
}

static int load_baseline(struct bench *bench)
{
	struct error error;
	int r;

	if (!bench->options.baseline)
		return CLI_GO_ON;
	r = bench_json_load(bench->options.baseline, &error, &bench->baseline);
	return r ? file_error(r, &error) : CLI_GO_ON;
}

/* What can fail before the time for measuring is spent. */
static int prepare_output(struct bench *bench)
{
	const struct bench_options *my = &bench->options;
	struct error error;

	if (my->plot && bench_plot_check(&error)) {
		cli_error("%s", error.message);
		return CLI_ENVIRONMENT;
	}
	if (my->plot && mkdir(my->plot, 0777) && errno != EEXIST) {
		cli_error("%s: %m", my->plot);
		return cli_open_code(-errno);
	}
	if (my->save)
		bench->save = fopen(my->save, "we");
	if (my->save && !bench->save) {
		cli_error("%s: %m", my->save);
		return cli_open_code(-errno);
	}
	return CLI_GO_ON;
}

static int measure_error(int result, const struct error *error)
{
	cli_error("%s", error->message);
	return result == -ENODEV ? CLI_ENVIRONMENT : CLI_INTERNAL;
}

/* Some rows may have been skipped since the command line was checked. */
static int measure_open(struct bench *bench, struct bench_rows *rows)
{
	int code = list_rows(bench, rows), r;
	struct error error;

	if (code != CLI_GO_ON)
		return code;
	if (!rows->count) {
		cli_error("nothing is left to be measured");
		return CLI_ENVIRONMENT;
	}
	if (check_limits(bench, &error)) {
		cli_error("%s", error.message);
		return CLI_ENVIRONMENT;
	}
	r = bench_measure(rows, bench->options.duration_ns, &error,
			  &bench->results);
	return r ? measure_error(r, &error) : CLI_GO_ON;
}

static int measure_rows(struct bench *bench, struct bench_rows *rows)
{
	const char *restore = bench->options.restore;
	struct error error;
	int r = bench_rows_open(rows, restore, &error);
	int code = r ? measure_error(r, &error) : measure_open(bench, rows);

	bench_rows_done(rows);
	if (code == CLI_GO_ON)
		bench->host = bench_host_json(restore);
	return code;
}

static int measure(struct bench *bench)
{
	const struct bench_texts *only = &bench->options.only;
	struct bench_rows rows;
	struct error error;
	int code;

	if (bench_rows_choose(only->values, only->count, &error, &rows))
		return bench_usage_error(error.message);
	code = list_rows(bench, &rows);
	if (code == CLI_GO_ON && check_limits(bench, &error))
		return bench_usage_error(error.message);
	if (code == CLI_GO_ON)
		code = cli_require_kvm();
	if (code == CLI_GO_ON)
		code = prepare_output(bench);
	return code == CLI_GO_ON ? measure_rows(bench, &rows) : code;
}

static int merge(struct bench *bench)
{
	const struct bench_options *my = &bench->options;
	struct error error;
	int r;

	if (my->only.count || my->duration_ns || my->restore)
		return bench_usage_error(
			"--merge measures nothing: leave out --only,"
			" --duration and --restore");
	r = bench_merge(my->merge.values, my->merge.count, &error,
			&bench->results, &bench->host);
	if (r)
		return file_error(r, &error);
	if (check_limits(bench, &error))
		return bench_usage_error(error.message);
	return prepare_output(bench);
}

static int save(struct bench *bench)
{
	json_auto_t *all = bench_json(&bench->results, bench->host, true);
	FILE *file = bench->save;
	int r;

	bench->save = NULL;
	json_object_update(all, bench->load);
	r = all ? bench_json_print(all, false, file) : -ENOMEM;
	if (!fclose(file) && !r)
		return CLI_OK;
	cli_error("cannot write to %s", bench->options.save);
	return CLI_INTERNAL;
}

static int judge(struct bench *bench, const json_t *report)
{
	struct error error;
	int code = CLI_OK;

	for (size_t i = 0; i < bench->options.fail_if.count; i++) {
		if (bench_limit_holds(&bench->limits[i], report,
				      bench->baseline, &error))
			continue;
		cli_error("%s", error.message);
		code = CLI_REGRESSION;
	}
	return code;
}

static int report_all(struct bench *bench)
{
	const struct bench_options *my = &bench->options;
	json_auto_t *report = bench_json(&bench->results, bench->host, false);
	struct error error;
	int code = CLI_OK;

	if (!report) {
		cli_error("no memory for the results");
		return CLI_INTERNAL;
	}
	json_object_update(report, bench->load);
	if (my->json)
		bench_json_print(report, true, stdout);
	else if (bench->load)
		bench_load_print(report, bench->baseline);
	else
		bench_table_print(report, bench->baseline);
	fflush(stdout);
	if (bench->save)
		code = save(bench);
	if (code == CLI_OK && my->plot &&
	    bench_plot(&bench->results, my->plot, &error)) {
		cli_error("%s", error.message);
		code = CLI_INTERNAL;
	}
	return code == CLI_OK ? judge(bench, report) : code;
}

static int report_rates(const struct bench *bench,
			const struct bench_rates *rates)
{
	const struct bench_options *my = &bench->options;
	json_auto_t *report = bench_rates_json(rates, bench->host);
	struct error error;

	if (my->json)
		bench_json_print(report, true, stdout);
	else
		bench_rates_print(rates, bench->host);
	fflush(stdout);
	if (my->plot && bench_rates_plot(rates, my->plot, &error)) {
		cli_error("%s", error.message);
		return CLI_INTERNAL;
	}
	return CLI_OK;
}

static int run_rates(struct bench *bench)
{
	const struct bench_options *my = &bench->options;
	struct bench_rates rates;
	struct error error;
	int code, r;

	if (my->only.count || my->merge.count || my->fail_if.count ||
	    my->save || my->baseline)
		return bench_usage_error(
			"--rates measures no rows: leave out --only, "
			"--merge, --fail-if, --save and --baseline");
	code = cli_require_kvm();
	if (code == CLI_GO_ON)
		code = prepare_output(bench);
	if (code != CLI_GO_ON)
		return code;
	r = bench_rates_measure(my->restore, my->duration_ns, &error, &rates);
	if (r)
		return measure_error(r, &error);
	bench->host = bench_host_json(my->restore);
	return report_rates(bench, &rates);
}

static int report_neighbours(const struct bench *bench,
			     const struct bench_neighbours *neighbours)
{
	json_auto_t *report = bench_neighbours_json(neighbours, bench->host);

	if (bench->options.json)
		bench_json_print(report, true, stdout);
	else
		bench_neighbours_print(neighbours, bench->host);
	return CLI_OK;
}

static int run_neighbours(struct bench *bench)
{
	const struct bench_options *my = &bench->options;
	struct bench_neighbours neighbours;
	struct error error;
	int code, r;

	if (my->rates || my->merge.count || my->fail_if.count || my->save ||
	    my->baseline || my->plot || my->restore)
		return bench_usage_error(
			"--neighbours measures no rows: leave out --rates, "
			"--merge, --fail-if, --save, --baseline, --plot and "
			"--restore");
	if (bench_neighbours_choose(my->only.values, my->only.count, &error,
				    &neighbours))
		return bench_usage_error(error.message);
	code = cli_require_kvm();
	if (code != CLI_GO_ON)
		return code;
	r = bench_neighbours_measure(my->duration_ns ? my->duration_ns :
						       DURATION_DEFAULT_NS,
				     &error, &neighbours);
	if (r)
		return measure_error(r, &error);
	if (!neighbours.count) {
		cli_error("nothing is left to be measured");
		return CLI_ENVIRONMENT;
	}
	bench->host = bench_host_json(NULL);
	return report_neighbours(bench, &neighbours);
}

/* Load on a server: a report like that on rows, and what is said besides. */
static int run_load(struct bench *bench)
{
	struct error error;
	int code, outcome;

	if (bench_results_add_row(&bench->results, BENCH_LOAD_ROW)) {
		cli_error("no memory for histograms");
		return CLI_INTERNAL;
	}
	if (check_limits(bench, &error))
		return bench_usage_error(error.message);
	code = prepare_output(bench);
	if (code == CLI_GO_ON)
		code = bench_load(&bench->options, &bench->results,
				  &bench->load, &outcome);
	if (code != CLI_GO_ON)
		return code;
	bench->host = bench_host_json(NULL);
	code = report_all(bench);
	return code == CLI_OK ? outcome : code;
}

static void set_defaults(struct bench_options *my)
{
	if (!my->duration_ns)
		my->duration_ns = DURATION_DEFAULT_NS;
	if (!my->restore)
		my->restore = "copy";
}

static int run_bench(struct bench *bench)
{
	struct bench_options *my = &bench->options;
	int code = parse_limits(bench);

	if (code == CLI_GO_ON)
		code = load_baseline(bench);
	if (code != CLI_GO_ON)
		return code;
	if (my->function) {
		set_defaults(my);
		return run_load(bench);
	}
	if (my->neighbours)
		return run_neighbours(bench);
	if (my->merge.count && !my->rates) {
		code = merge(bench);
	} else {
		set_defaults(my);
		if (my->rates)
			return run_rates(bench);
		code = measure(bench);
	}
	return code == CLI_GO_ON ? report_all(bench) : code;
}

static int run(const struct cli_verb *verb, int argc, char **argv)
{
	struct bench bench = { .baseline = NULL };
	int code = bench_options_parse(verb, argc, argv, &bench.options);

	if (code != CLI_GO_ON)
		return code;
	code = run_bench(&bench);
	json_decref(bench.baseline);
	json_decref(bench.host);
	json_decref(bench.load);
	bench_results_done(&bench.results);
	if (bench.save)
		fclose(bench.save);
	return code;
}

const struct cli_verb cmd_bench = {
	.name = "bench",
	.operand = "[NAME]",
	.summary = "measure invocations here, or put load on a server",
	.about = bench_about,
	.examples = bench_examples,
	.options = bench_option_table,
	.run = run,
};
