/*
 * connection.h - what HTTP connections and those of the socket protocol have in
 * common: their place among the worker's, the bound on their number, closing.
 */
#ifndef EXECUTOR_SERVER_CONNECTION_H
#define EXECUTOR_SERVER_CONNECTION_H

#include <stdbool.h>

#include "base/budget.h"
#include "base/timers.h"
#include "executor/io/io.h"
#include "executor/server/clients.h"
#include "executor/server/worker.h"

struct connection {
	struct io_stream stream; /* the first member */
	struct worker *worker;
	struct connection *next, **link;
	struct timer timer;	       /* what it waits for takes too long */
	struct client *client;	       /* NULL: it could be anybody */
	struct budget_account account; /* what is kept, but for requests' */
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

/*
 * For free(): its account is closed, and its client left. Nothing may count for
 * that client any more.
 */
void connection_done(struct connection *connection);

/* @account, of a request of @connection, is opened, and its client's. */
void connection_open_account(struct connection *connection,
			     struct budget_account *account);

/* Closes the stream; free() follows. */
void connection_close(struct connection *connection);

/* Set the timer for @limit_ns from now; none is set once it is closed. */
void connection_limit(struct connection *connection, uint64_t limit_ns);

/* Opens connections of each kind. For worker_listen(). */
void http_connection_open(struct door *door, int fd);
void http_admin_connection_open(struct door *door, int fd);
void http_metrics_connection_open(struct door *door, int fd);
void frame_connection_open(struct door *door, int fd);

/* Frees what is kept for calls of the unix socket protocol. */
void frame_free_calls(struct worker *worker);

#endif
