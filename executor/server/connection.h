/*
 * connection.h - what HTTP connections and those of the socket protocol have in
 * common: their place among the worker's, the bound on their number, closing.
 */
#ifndef EXECUTOR_SERVER_CONNECTION_H
#define EXECUTOR_SERVER_CONNECTION_H

#include <stdbool.h>

#include "executor/server/io.h"
#include "executor/server/timers.h"
#include "executor/server/worker.h"

struct connection {
	struct io_stream stream; /* the first member */
	struct worker *worker;
	struct connection *next, **link;
	struct timer timer; /* what it waits for takes too long */
	/* The server drains: close it, or have its next answer be the last. */
	void (*drain)(struct connection *connection);
	/* Frees it; it is closed, and nothing of it is under way. */
	void (*free)(struct connection *connection);
	bool closing;
};

/*
 * Makes @connection, zeroed but for its callbacks, one of @worker's, and opens
 * its stream. False: there are too many; @fd is closed, @connection still the
 * caller's.
 */
bool connection_open(struct connection *connection, struct worker *worker,
		     int fd);

/* Closes the stream; free() follows. */
void connection_close(struct connection *connection);

/* Set the timer for @limit_ns from now. */
void connection_limit(struct connection *connection, uint64_t limit_ns);

/* Opens connections of the two kinds. For worker_listen(). */
void http_connection_open(struct worker *worker, int fd);
void http_admin_connection_open(struct worker *worker, int fd);
void frame_connection_open(struct worker *worker, int fd);

#endif
