/*
 * load_connection.h - the connections of one thread of the load generator:
 * opens them, sends requests, takes replies. Only that thread calls these
 * functions.
 */
#ifndef BENCH_LOAD_CONNECTION_H
#define BENCH_LOAD_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/load_options.h"
#include "bench/load_tally.h"
#include "bench/load_wire.h"

/* Bytes received at once. */
#define LOAD_INPUT_SIZE (64 * 1024)

enum load_state {
	LOAD_DOWN, /* to be opened at retry_ns */
	LOAD_CONNECTING,
	LOAD_IDLE,
	LOAD_BUSY, /* a request or its reply is under way */
};

struct load_connection {
	int fd;
	enum load_state state;
	bool counts; /* the request counts: the warm-up is over */
	bool has_answered;
	bool was_open;
	size_t sent; /* bytes of the request that were sent */
	uint64_t due_ns, retry_ns;
	struct load_reply reply;
};

/* A first-in first-out queue, in which each connection is at most once. */
struct load_idle {
	struct load_connection **ring;
	size_t first, count;
};

/*
 * The connections of one thread, and their counts; load_worker_init() makes
 * them.
 */
struct load_pool {
	const struct load_options *options;
	struct load_connection *connections;
	size_t count;
	size_t down, connecting, busy;
	struct load_idle idle;
	int epoll_fd;
	char *input; /* LOAD_INPUT_SIZE */

	uint64_t measure_ns; /* requests due earlier do not count */
	uint64_t last_ns;    /* time of the last reply */
	uint64_t reconnections;
	int connect_error; /* of the last failed attempt, -errno; or 0 */
	struct load_tally *tally;
};

/* Begins to open a connection that is down. */
void load_connection_open(struct load_pool *pool,
			  struct load_connection *connection);

/* Sends the request that was due at @due_ns on an idle connection. */
void load_connection_start(struct load_pool *pool,
			   struct load_connection *connection, uint64_t due_ns,
			   uint64_t now_ns);

/* Handles @events of epoll. */
void load_connection_handle(struct load_pool *pool,
			    struct load_connection *connection,
			    uint32_t events);

/* Gives up the request, if there is one, and closes the connection. */
void load_connection_drop(struct load_pool *pool,
			  struct load_connection *connection);

/* Takes the connection that has been idle longest; there must be one. */
struct load_connection *load_idle_pop(struct load_idle *idle, size_t capacity);

#endif
