/* waterfall_plot.h - the picture of `thaw bench --waterfall`. */
#ifndef BENCH_WATERFALL_PLOT_H
#define BENCH_WATERFALL_PLOT_H

#include "base/error.h"
#include "bench/waterfall.h"
#include "bench/waterfall_served.h"

/*
 * Writes waterfall.svg into @directory, which must exist: the times of a warm invocation
 * beyond floor.run, and the instructions of a served request. 0 or -errno, -EPROTO if
 * gnuplot fails.
 */
int bench_waterfall_plot(const struct bench_waterfall *waterfall,
			 const struct bench_served *served,
			 const char *directory, struct error *err);

#endif
