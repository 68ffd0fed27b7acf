/*
 * measure.h - measures rows, in rounds: in each, every row has its turn, so that
 * a noisy moment of the machine hits what is compared alike.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>

#include "base/error.h"
#include "bench/results.h"
#include "bench/rows.h"

/*
 * Measures @rows, which are open, for about @duration_ns, and then what each of
 * the polled ones takes in a second in which it is left alone. *@results has the
 * same rows, and nothing in them yet. A progress bar is shown on standard error
 * if that is a terminal. 0 or -errno.
 */
int bench_measure(struct bench_rows *rows, uint64_t duration_ns,
		  struct error *err, struct bench_results *results);

#endif
