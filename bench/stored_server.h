/*
 * stored_server.h - `thaw serve` and `thaw invoke` with functions whose snapshots are all
 * in a state directory, one file each, for restart.N, start.process and the density of idle
 * functions.
 *
 * The functions have the same image and differ in a variable of their environment, so
 * their snapshots differ.
 */
#ifndef BENCH_STORED_SERVER_H
#define BENCH_STORED_SERVER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "bench/row.h"

struct bench_stored;

/*
 * Makes a folder with the state directory of so many functions, which are all
 * booted for that. No server runs yet. 0 or -errno after a message; -EOPNOTSUPP: the
 * functions cannot be stored here.
 */
int bench_stored_open(const struct bench_setup *setup, unsigned functions,
		      struct error *err, struct bench_stored **ret_stored);

/*
 * Starts the server and waits until it says that it is ready. 0, and
 * bench_stored_end() is due; or -errno after a message, and none runs.
 * -EOPNOTSUPP: it does not serve.
 */
int bench_stored_start(struct bench_stored *stored, struct error *err,
		       pid_t *ret_server);

/* Ends the server, if it runs, and waits for its end. */
void bench_stored_end(struct bench_stored *stored);

/*
 * Has a new process, `thaw invoke`, invoke the first function, and waits for its end.
 * *@ret_ns is the time from its start to the first byte of its output. 0 or -errno after
 * a message; -EOPNOTSUPP: it cannot.
 */
int bench_stored_invoke(const struct bench_stored *stored, struct error *err,
			uint64_t *ret_ns);

/* Removes the folder. NULL: does nothing. */
void bench_stored_close(struct bench_stored *stored);

#endif
