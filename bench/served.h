/* served.h - what the rows that ask a server share. */
#ifndef BENCH_SERVED_H
#define BENCH_SERVED_H

#include "base/error.h"
#include "bench/row.h"

/*
 * Starts the server of @setup unless it runs. Returns 0, or -errno after a
 * message.
 */
int bench_served_find_server(const struct bench_setup *setup,
			     struct error *err);

/* Begin and end a turn in which client and server share a CPU. */
int bench_served_begin(struct bench_row *row, struct error *err);
void bench_served_end(struct bench_row *row);

#endif
