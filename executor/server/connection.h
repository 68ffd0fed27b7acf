/*
 * connection.h - what HTTP connections and those of the socket protocol have in
 * common: their place among the worker's, the bound on their number, closing.
 *
 * All of it runs on the worker's thread.
 */
#ifndef EXECUTOR_SERVER_CONNECTION_H
#define EXECUTOR_SERVER_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/timers.h"
#include "executor/io/io.h"
#include "executor/server/clients.h"
#include "executor/server/listener.h"
#include "executor/server/worker.h"

struct connection {
	struct io_stream stream; /* the first member */
	struct worker *worker;
	struct listener *listener; /* it came in by */
	struct connection *next, **link;
	struct timer timer; /* looks at until_ns, then or earlier */
	uint64_t until_ns;  /* when a wait has taken too long; or UINT64_MAX */
	struct client *client; /* NULL: it cannot be told apart */
	struct budget_account
		account; /* pays for what is kept, but for requests */
	/* A wait has taken too long. */
	void (*expired)(struct connection *connection);
	/* The server drains: close it, or have its next answer be the last. */
	void (*drain)(struct connection *connection);
	/* Frees it; it is closed, and nothing of it is under way. */
	void (*free)(struct connection *connection);
	bool closing;
};

/*
 * Makes @connection, zeroed but for its callbacks, one of @listener's worker, and
 * opens its stream. False: there are too many; @fd is closed, and @connection is
 * still the caller's.
 */
bool connection_open(struct connection *connection, struct listener *listener,
		     int fd);

/*
 * For free(): closes its account, and leaves its client. Nothing may count for
 * that client any more.
 */
void connection_done(struct connection *connection);

/* Opens @account, of a request of @connection, which counts for its client. */
void connection_open_account(struct connection *connection,
			     struct budget_account *account);

/* Closes the stream; free() follows. */
void connection_close(struct connection *connection);

/*
 * Has expired() called @limit_ns from now, or at @until_ns, or not at all, unless the
 * connection is closed. What was set before holds no more. A later time costs nothing: the
 * timer stays where it is among the worker's, and moves when it fires.
 */
void connection_limit(struct connection *connection, uint64_t limit_ns);
void connection_limit_to(struct connection *connection, uint64_t until_ns);
void connection_limit_none(struct connection *connection);

/* Drains all connections of @worker. */
void connections_drain(struct worker *worker);

/*
 * Closes all connections of @worker, and turns it until nobody uses their memory
 * any more, but for a second at most.
 */
void connections_close(struct worker *worker);

#endif
