/*
 * stored_server.h - `thaw serve` with functions whose snapshots are all in its state
 * directory, one file each, for restart.N and the density of idle functions.
 *
 * The functions have the same image and differ in a variable of their environment, so
 * their snapshots differ.
 */
#ifndef BENCH_STORED_SERVER_H
#define BENCH_STORED_SERVER_H

#include <sys/types.h>

#include "base/error.h"
#include "bench/row.h"

struct bench_stored;

/*
 * Makes a folder in /tmp with the state directory of so many functions, which are all
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

/* Ends the server, and waits for its end. */
void bench_stored_end(pid_t server);

/* Removes the folder. NULL: does nothing. */
void bench_stored_close(struct bench_stored *stored);

#endif
