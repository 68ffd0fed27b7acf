/* top_table.c - see top_table.h. */
#include "executor/cli/top_table.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "executor/cli/percentile.h"

#define CELL_MAX 80

/* While columns can be left out, names are not cut shorter than this. */
#define NAME_WIDTH_MIN 12

static double greatest_first(double a, double b)
{
	/* what has no counts is least */
	a = isnan(a) ? -1 : a;
	b = isnan(b) ? -1 : b;
	return (a < b) - (a > b);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct top_row *)a)->facts.name,
		      ((const struct top_row *)b)->facts.name);
}

/* Equal rows keep the order of names, so that lines do not jump. */
#define BY(function, member)                                               \
	static int function(const void *a, const void *b)                  \
	{                                                                  \
		const struct top_row *one = a, *other = b;                 \
		double order = greatest_first(one->member, other->member); \
                                                                           \
		return order ? (int)order : by_name(a, b);                 \
	}
BY(by_rate, rate)
BY(by_latency, p99_us)
BY(by_errors, error_rate)

static int (*const orders[])(const void *, const void *) = {
	[TOP_BY_RATE] = by_rate,
	[TOP_BY_LATENCY] = by_latency,
	[TOP_BY_NAME] = by_name,
	[TOP_BY_ERRORS] = by_errors,
};

static void make_row(const struct facts *before,
		     const struct facts_bounds *bounds, double seconds,
		     struct top_row *row)
{
	const struct function_facts *old = facts_find(before, row->facts.name);

	if (old)
		facts_subtract(&row->facts, old);
	row->rate = (double)row->facts.ended / seconds;
	row->error_rate = (double)row->facts.errors / seconds;
	row->p50_us = facts_percentile(&row->facts, bounds, 0.5);
	row->p99_us = facts_percentile(&row->facts, bounds, 0.99);
}

int top_table_make(const struct facts *before, const struct facts *now,
		   enum top_sort sort, struct top_table *ret_table)
{
	struct top_table table = {
		.count = now->count,
		.last_us = facts_last_us(&now->bounds),
	};
	uint64_t ns = now->at_ns - before->at_ns;
	double seconds = (double)(ns ? ns : 1) / NS_PER_S;

	table.rows = calloc(table.count + 1, sizeof(*table.rows));
	if (!table.rows)
		return -ENOMEM;
	for (size_t i = 0; i < table.count; i++) {
		table.rows[i].facts = now->functions[i];
		make_row(before, &now->bounds, seconds, &table.rows[i]);
		table.rate += table.rows[i].rate;
		table.error_rate += table.rows[i].error_rate;
	}
	qsort(table.rows, table.count, sizeof(*table.rows), orders[sort]);
	*ret_table = table;
	return 0;
}

void top_table_done(struct top_table *table)
{
	free(table->rows);
	*table = (struct top_table){ .count = 0 };
}

static void write_rate(double rate, char *cell)
{
	snprintf(cell, CELL_MAX, "%.*f", rate < 9999.95 ? 1 : 0, rate);
}

static void cell_rate(const struct top_table *table, const struct top_row *row,
		      char *cell)
{
	(void)table;
	write_rate(row->rate, cell);
}

static void cell_errors(const struct top_table *table,
			const struct top_row *row, char *cell)
{
	(void)table;
	write_rate(row->error_rate, cell);
}

static void cell_p50(const struct top_table *table, const struct top_row *row,
		     char *cell)
{
	percentile_format(row->p50_us, table->last_us, cell);
}

static void cell_p99(const struct top_table *table, const struct top_row *row,
		     char *cell)
{
	percentile_format(row->p99_us, table->last_us, cell);
}

static void cell_queue(const struct top_table *table, const struct top_row *row,
		       char *cell)
{
	(void)table;
	snprintf(cell, CELL_MAX, "%" PRIu64, row->facts.queued);
}

static void cell_vms(const struct top_table *table, const struct top_row *row,
		     char *cell)
{
	(void)table;
	snprintf(cell, CELL_MAX, "%" PRIu64 "/%" PRIu64 "/%" PRIu64,
		 row->facts.busy, row->facts.idle, row->facts.max);
}

static void cell_state(const struct top_table *table, const struct top_row *row,
		       char *cell)
{
	(void)table;
	snprintf(cell, CELL_MAX, "%s", row->facts.state);
}

/* The columns after the name. */
static const struct column {
	const char *heading;
	int width; /* negative: aligned to the left */
	int keep;  /* columns with the least are left out first */
	void (*cell)(const struct top_table *table, const struct top_row *row,
		     char *cell);
} columns[] = {
	{ "RATE/s", 8, 7, cell_rate },
	{ "P50", 7, 4, cell_p50 },
	{ "P99", 7, 6, cell_p99 },
	{ "QUEUE", 5, 1, cell_queue },
	{ "BUSY/IDLE/MAX", 13, 2, cell_vms },
	{ "ERR/s", 7, 5, cell_errors },
	{ "STATE", -7, 3, cell_state },
};

#define COLUMNS (sizeof(columns) / sizeof(*columns))
#define GAP 2

/* The columns that are shown, those of at least @keep; the name's width. */
struct layout {
	int keep;
	size_t name_width;
};

static size_t width_of(int keep)
{
	size_t width = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		if (columns[i].keep >= keep)
			width += GAP + (size_t)abs(columns[i].width);
	return width;
}

static struct layout make_layout(const struct top_table *table, size_t width)
{
	size_t longest = strlen("FUNCTION"), least, size;
	struct layout layout = { .keep = 0 };

	for (size_t i = 0; i < table->count; i++) {
		size = strlen(table->rows[i].facts.name);
		longest = size > longest ? size : longest;
	}
	layout.name_width = longest;
	if (!width)
		return layout;
	least = longest < NAME_WIDTH_MIN ? longest : NAME_WIDTH_MIN;
	while (width_of(layout.keep) && least + width_of(layout.keep) > width)
		layout.keep++;
	size = width - width_of(layout.keep);
	if (size < longest)
		layout.name_width = size;
	return layout;
}

/* Appends to a line, without blanks at its end. */
static void top_table_end_line(struct buffer *out)
{
	while (out->size && out->data[out->size - 1] == ' ')
		out->size--;
	buffer_text(out, "\n");
}

static void write_row(const struct top_table *table,
		      const struct layout *layout, const struct top_row *row,
		      struct buffer *out)
{
	int width = (int)layout->name_width;
	char cell[CELL_MAX];

	buffer_printf(out, "%-*.*s", width, width,
		      row ? row->facts.name : "FUNCTION");
	for (size_t i = 0; i < COLUMNS; i++) {
		if (columns[i].keep < layout->keep)
			continue;
		if (row)
			columns[i].cell(table, row, cell);
		buffer_printf(out, "%*s%*s", GAP, "", columns[i].width,
			      row ? cell : columns[i].heading);
	}
	top_table_end_line(out);
}

void top_table_write(const struct top_table *table, size_t rows, size_t width,
		     struct buffer *out)
{
	struct layout layout = make_layout(table, width);

	write_row(table, &layout, NULL, out);
	for (size_t i = 0; i < table->count && i < rows; i++)
		write_row(table, &layout, &table->rows[i], out);
}
