/*
 * measure.h - measures rows in rounds. Every row has its turn in each round, so
 * a noisy moment of the machine affects all rows that are compared.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>

#include "base/error.h"
#include "bench/results.h"
#include "bench/rows.h"

/*
 * Measures @rows, which are open, for about @duration_ns; then measures what
 * each polled row takes in a second in which it is left alone. @results has the
 * same rows, without durations. Shows a progress bar on standard error if that
 * is a terminal. Returns 0 or -errno.
 */
int bench_measure(struct bench_rows *rows, uint64_t duration_ns,
		  struct error *err, struct bench_results *results);

#endif
