/*
 * top_table.h - the table of `thaw top`: what functions did between two answers
 * of the server, as text. No I/O.
 */
#ifndef EXECUTOR_CLI_TOP_TABLE_H
#define EXECUTOR_CLI_TOP_TABLE_H

#include <stddef.h>

#include "base/buffer.h"
#include "executor/cli/function_facts.h"

/* In the order of the words of --sort. */
enum top_sort {
	TOP_BY_RATE,	/* the greatest first */
	TOP_BY_LATENCY, /* p99, the greatest first */
	TOP_BY_NAME,
	TOP_BY_ERRORS, /* the greatest rate first */
};

struct top_row {
	struct function_facts
		facts;		 /* its counts are those between the answers */
	double rate, error_rate; /* per second */
	double p50_us, p99_us;	 /* see percentile.h */
};

struct top_table {
	struct top_row *rows;
	size_t count;
	double rate, error_rate; /* of all */
	double last_us;		 /* the last bound of the buckets */
};

/* Makes the table. A new function counts from 0. Returns 0 or -ENOMEM. */
int top_table_make(const struct facts *before, const struct facts *now,
		   enum top_sort sort, struct top_table *ret_table);
void top_table_done(struct top_table *table);

/*
 * Appends a line of headings and a line for each function, up to @rows, each
 * with a '\n'. Lines have at most @width characters: names are cut, and the
 * least important columns left out; 0 is any width.
 */
void top_table_write(const struct top_table *table, size_t rows, size_t width,
		     struct buffer *out);

#endif
