/* plot.h - draws pictures of the results of `thaw bench`, by gnuplot. */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include <stdio.h>

#include "base/error.h"
#include "bench/results.h"

/* Checks that gnuplot can be run: 0, or -ENOENT and what to do. */
int bench_plot_check(struct error *err);

/* Writes gnuplot's script that draws @what. */
typedef void (*bench_plot_fn)(FILE *script, const void *what);

/*
 * Writes the picture @name into @directory, which must exist. 0 or -errno,
 * -EPROTO if gnuplot fails.
 */
int bench_plot_picture(const char *directory, const char *name,
		       bench_plot_fn write, const void *what,
		       struct error *err);

/*
 * Writes the pictures for which there are rows into @directory, which must
 * exist:
 *
 *	latency.svg	invoke.warm and floor.run: how long, up to which
 *			percentile
 *	restore.svg	restore.N over N, and the line of floor.run plus
 *			floor.copy.N
 *	restart.svg	restart.N over N, if there are several
 *	load.svg	load on a server: likewise
 *
 * 0 or -errno, -EPROTO if gnuplot fails.
 */
int bench_plot(const struct bench_results *results, const char *directory,
	       struct error *err);

#endif
