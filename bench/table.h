/*
 * table.h - the results of `thaw bench` as text for people.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

struct json_t; /* jansson's */

/*
 * Prints @report, made by bench_json(), on standard output. @baseline is an
 * older one to compare it with, or NULL.
 */
void bench_table_print(const struct json_t *report,
		       const struct json_t *baseline);

/* Prints only the rows of the report. */
void bench_table_print_rows(const struct json_t *report,
			    const struct json_t *baseline);

/* Prints the facts of the machine, made by bench_host_json(). */
void bench_table_print_host(const struct json_t *host);

#endif
