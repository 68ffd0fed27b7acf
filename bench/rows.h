/*
 * rows.h - all rows of `thaw bench`, the choice among them, and the ratios
 * between them.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stddef.h>

#include "base/error.h"
#include "bench/row.h"

/* Most rows that there can be. */
#define BENCH_ROWS_MAX 64

/* The rows chosen, to be freed by bench_rows_done(). */
struct bench_rows {
	struct bench_setup setup;
	struct bench_shared shared;
	struct bench_row rows[BENCH_ROWS_MAX];
	size_t count;
};

/*
 * Chooses the rows that @only (@only_count texts) lists, and those that they
 * are compared to; if the list is empty, all but those that are extra or take
 * long. Each text is a name, or a beginning of names up to a dot; rows that take
 * long are chosen by their whole name only. Opens nothing. -ENOENT: there is no such row.
 */
int bench_rows_choose(const char *const *only, size_t only_count,
		      struct error *err, struct bench_rows *ret_rows);

/*
 * Opens all chosen rows; @restore is as in struct engine_options. Rows that this
 * machine cannot measure are removed, with a warning. Returns 0 or -errno.
 */
int bench_rows_open(struct bench_rows *rows, const char *restore,
		    struct error *err);

/* Closes all rows that are open. */
void bench_rows_done(struct bench_rows *rows);

#define BENCH_TERMS_MAX 3

/* A row compared to another, or to the sum of some. */
struct bench_ratio {
	const char *name;
	const char *top;
	const char *bottom[BENCH_TERMS_MAX]; /* their sum; the rest is NULL */
};

/* All ratios; the last entry has no name. */
extern const struct bench_ratio bench_ratios[];

#endif
