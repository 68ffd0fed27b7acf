/*
 * rows.h - the rows of `thaw bench` that there are, the choice of them, and the
 * ratios of one to others.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stddef.h>

#include "base/error.h"
#include "bench/row.h"

/* Most rows that there can be. */
#define BENCH_ROWS_MAX 32

/* The rows chosen, to be freed by bench_rows_done(). */
struct bench_rows {
	struct bench_setup setup;
	struct bench_shared shared;
	struct bench_row rows[BENCH_ROWS_MAX];
	size_t count;
};

/*
 * Chooses the rows that @only (@only_count names) asks for, each a name or the
 * beginning of names up to a dot, and the rows that theirs are compared to; all
 * of them if there are none. Those that take long are chosen by their whole name
 * alone. Opens nothing. -ENOENT: no row of such a name.
 */
int bench_rows_choose(const char *const *only, size_t only_count,
		      struct error *err, struct bench_rows *ret_rows);

/*
 * Opens all chosen rows; @restore as in struct engine_options. Rows that this
 * machine cannot measure are taken out, and standard error says why. 0 or
 * -errno.
 */
int bench_rows_open(struct bench_rows *rows, const char *restore,
		    struct error *err);

/* Closes what is open. */
void bench_rows_done(struct bench_rows *rows);

/* A row compared to another, or to the sum of two. */
struct bench_ratio {
	const char *name;
	const char *top;
	const char *bottom[2]; /* the second may be NULL */
};

/* All ratios there are; the last has no name. */
extern const struct bench_ratio bench_ratios[];

#endif
