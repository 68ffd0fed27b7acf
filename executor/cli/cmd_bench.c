/*
 * cmd_bench.c - `thaw bench`: what invocations cost on this machine, and what
 * the least is that they could cost. What is measured is in bench_rows.c, how
 * in bench_measure.c; --rates is in bench_rates.c.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "executor/cli/bench_host.h"
#include "executor/cli/bench_json.h"
#include "executor/cli/bench_limit.h"
#include "executor/cli/bench_merge.h"
#include "executor/cli/bench_plot.h"
#include "executor/cli/bench_rates.h"
#include "executor/cli/bench_results.h"
#include "executor/cli/bench_table.h"
#include "executor/cli/cli.h"
#include "executor/cli/verbs.h"
#include "vm/cleanup.h"
#include "vm/clock.h"

#define DURATION_DEFAULT_NS (10 * NS_PER_S)

/* An option that may be repeated may be given so often. */
#define REPEATED_MAX 64

struct texts {
	const char *values[REPEATED_MAX];
	size_t count;
};

struct bench_options {
	struct texts only, merge, fail_if;
	uint64_t duration_ns;
	const char *restore;
	const char *save;
	const char *plot;
	const char *baseline;
	bool json;
	bool rates;
};

/* What there is between the steps of run(). */
struct bench {
	struct bench_options options;
	struct bench_limit limits[REPEATED_MAX];
	json_t *baseline;
	struct bench_results results;
	json_t *host;
	FILE *save;
};

static int add_text(const struct cli_option *option, const char *value,
		    void *target)
{
	struct texts *texts = (void *)((char *)target + option->offset);

	if (texts->count == REPEATED_MAX) {
		cli_error("--%s: more than %d of them", option->name,
			  REPEATED_MAX);
		return CLI_USAGE;
	}
	texts->values[texts->count++] = value;
	return 0;
}

static int set_restore(const struct cli_option *option, const char *value,
		       void *target)
{
	if (strcmp(value, "copy") != 0 && strcmp(value, "remap") != 0) {
		cli_error("--%s: \"%s\" is not a method: copy or remap",
			  option->name, value);
		return CLI_USAGE;
	}
	return cli_set_text(option, value, target);
}

/* clang-format off */
#define OPTION(letter, name, argument, help, set, member) \
	{ letter, name, argument, help, set,              \
	  offsetof(struct bench_options, member), 0 }

static const struct cli_option options[] = {
	CLI_OPTION_FORMAT(struct bench_options, json),
	OPTION(0, "duration", "TIME",
	       "how long to measure, in all; default 10s",
	       cli_set_duration, duration_ns),
	OPTION(0, "only", "NAME",
	       "only this row, or these: restore is all of\n"
	       "restore.N; and those they are compared to; may be\n"
	       "repeated", add_text, only),
	OPTION(0, "rates", NULL,
	       "instead of the rows, invoke at rates from 100 to\n"
	       "100000 per second, for each kind of dispatch", cli_set_flag,
	       rates),
	OPTION(0, "restore", "copy|remap",
	       "copy (default), or remap, to compare with: give\n"
	       "written pages back to the kernel", set_restore, restore),
	OPTION(0, "save", "FILE",
	       "write all that was measured to FILE, as JSON", cli_set_text,
	       save),
	OPTION(0, "merge", "FILE",
	       "measure nothing, but take what --save has written;\n"
	       "may be repeated: figures of all of them together",
	       add_text, merge),
	OPTION(0, "plot", "DIRECTORY",
	       "draw latency.svg and restore.svg there, or, of\n"
	       "--rates, rate.svg", cli_set_text, plot),
	OPTION(0, "baseline", "FILE",
	       "compare with older results, JSON of -o or --save",
	       cli_set_text, baseline),
	OPTION(0, "fail-if", "LIMIT",
	       "exit with 8 if NAME.FIELD>+PERCENT%, than in the\n"
	       "baseline, or NAME.FIELD>NUMBERus; may be repeated",
	       add_text, fail_if),
	{ .name = NULL },
};
/* clang-format on */

static int usage_error(const char *message)
{
	cli_error("%s", message);
	fputs("see: thaw bench --help\n", stderr);
	return CLI_USAGE;
}

/* A file of the user's that is no good. */
static int file_error(int result, const struct error *error)
{
	cli_error("%s", error->message);
	return result == -EINVAL ? CLI_USAGE : cli_open_code(result);
}

static int parse_limits(struct bench *bench)
{
	const struct texts *texts = &bench->options.fail_if;
	struct error error;

	for (size_t i = 0; i < texts->count; i++)
		if (bench_limit_parse(texts->values[i], &error,
				      &bench->limits[i]))
			return usage_error(error.message);
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
	const struct texts *only = &bench->options.only;
	struct bench_rows rows;
	struct error error;
	int code;

	if (bench_rows_choose(only->values, only->count, &error, &rows))
		return usage_error(error.message);
	code = list_rows(bench, &rows);
	if (code == CLI_GO_ON && check_limits(bench, &error))
		return usage_error(error.message);
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
		return usage_error("--merge measures nothing: leave out --only,"
				   " --duration and --restore");
	r = bench_merge(my->merge.values, my->merge.count, &error,
			&bench->results, &bench->host);
	if (r)
		return file_error(r, &error);
	if (check_limits(bench, &error))
		return usage_error(error.message);
	return prepare_output(bench);
}

static int save(struct bench *bench)
{
	json_auto_t *all = bench_json(&bench->results, bench->host, true);
	FILE *file = bench->save;
	int r;

	bench->save = NULL;
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
	if (my->json)
		bench_json_print(report, true, stdout);
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
		return usage_error(
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
	int code = cli_parse(verb, argc, argv, &bench.options, NULL);

	if (code != CLI_GO_ON)
		return code;
	code = run_bench(&bench);
	json_decref(bench.baseline);
	json_decref(bench.host);
	bench_results_done(&bench.results);
	if (bench.save)
		fclose(bench.save);
	return code;
}

const struct cli_verb cmd_bench = {
	.name = "bench",
	.summary = "measure what invocations cost on this machine",
	.about =
		"Measures invocations, and beside them the least they could "
		"cost: the floors, in\n"
		"rounds in which every row has its turn. The first rounds do "
		"not count.\n"
		"\n"
		"  floor.run      entering the guest's user mode and leaving "
		"it, nothing else\n"
		"  invoke.warm    request in, reply out, vm restored; "
		"function that does nothing\n"
		"  invoke.reply   the same up to the reply\n"
		"  invoke.polled  invoke.warm of a function with dispatch "
		"polled\n"
		"  invoke.polled.4     four such functions in turn, sharing "
		"the polling cores\n"
		"  invoke.polled.coop  the same as invoke.polled in "
		"cooperative isolation\n"
		"  floor.handover      passing a cache line to another thread "
		"and back\n"
		"  floor.copy.N   copying N scattered pages\n"
		"  restore.N      invoke.warm of a function that writes to N "
		"scattered pages\n"
		"  start.pool     first reply of a new vm of a snapshot in "
		"memory\n"
		"  start.cold     first reply from the ELF file: boot, "
		"snapshot, invocation\n"
		"  process.spawn  starting a static program for one request, "
		"through pipes\n"
		"  process.fork   having a process fork for one request, "
		"through pipes\n"
		"\n"
		"A ratio's p50 is the median, over the rounds, of the ratio of "
		"a round's medians;\n"
		"its p99 is the ratio of the p99s of all samples, a sum of "
		"floors being the sum of\n"
		"theirs. p99.9 takes 10000 samples. CPU is what this process "
		"takes for one sample,\n"
		"all threads together, children not counted; for the polled "
		"rows there is also\n"
		"what it takes in a second in which they are left alone.\n"
		"\n"
		"--rates invokes at a rate, by exit, polled, polled.coop and "
		"auto, until one of\n"
		"them cannot keep up. Times are from when a request was due "
		"to its reply; its CPU\n"
		"is without what the client takes to wait.\n",
	.examples = "  thaw bench\n"
		    "  thaw bench --only invoke.warm --duration 3s\n"
		    "  thaw bench -o json >old.json\n"
		    "  thaw bench --baseline old.json "
		    "--fail-if 'invoke.warm.p50>+10%'\n"
		    "  thaw bench --fail-if "
		    "'invoke.warm/floor.run.p50>1.10'\n"
		    "  thaw bench --rates --plot pictures\n"
		    "  thaw bench --save 1.json; thaw bench --save 2.json\n"
		    "  thaw bench --merge 1.json --merge 2.json --plot "
		    "pictures\n",
	.options = options,
	.run = run,
};
