/*
 * bench.h - `thaw bench`: measures invocations on this machine, or puts load on
 * a server, and reports. The rest of thaw includes no other header of bench/.
 *
 *	struct bench_options options = { .duration_ns = 3 * NS_PER_S };
 *	struct bench_end end;
 *
 *	if (bench_run_rows(&options, &end) != BENCH_OK)
 *		... end.verdict, end.error.message
 *
 * Each call prints its report on standard output, and a progress bar and
 * warnings on standard error. One thread may use it at a time.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "bench/options.h"

/* Measures the rows of options->only, or all. */
enum bench_verdict bench_run_rows(const struct bench_options *options,
				  struct bench_end *ret_end);

/*
 * Measures nothing, but reports on the files that earlier runs saved. Of
 * @options, it reads only what describes the report.
 */
enum bench_verdict bench_run_merge(const struct bench_options *options,
				   const struct bench_texts *files,
				   struct bench_end *ret_end);

/* Invokes at rates, in each dispatch. Limits, baseline and save are not used. */
enum bench_verdict bench_run_rates(const struct bench_options *options,
				   struct bench_end *ret_end);

/*
 * Measures a function beside the kinds of hostile functions in options->only,
 * or beside all. Uses the duration and the report's form, nothing else.
 */
enum bench_verdict bench_run_neighbours(const struct bench_options *options,
					struct bench_end *ret_end);

/*
 * Measures what a warm invocation takes beyond floor.run, step by step. Uses the
 * duration and the report's form, nothing else. The process has one thread.
 */
enum bench_verdict bench_run_waterfall(const struct bench_options *options,
				       struct bench_end *ret_end);

/*
 * Measures what warm vms and idle functions take. Uses the report's form, nothing else.
 * The process has one thread.
 */
enum bench_verdict bench_run_density(const struct bench_options *options,
				     struct bench_end *ret_end);

/* Puts @load on a server for the duration. */
enum bench_verdict bench_run_load(const struct bench_options *options,
				  const struct bench_load *load,
				  struct bench_end *ret_end);

#endif
