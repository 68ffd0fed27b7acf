/*
 * load_worker.h - one thread of the load generator: an epoll loop over its part
 * of the connections. See load.h.
 */
#ifndef BENCH_LOAD_WORKER_H
#define BENCH_LOAD_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "bench/load.h"
#include "bench/load_wire.h"

/* Bytes that are received at once. */
#define LOAD_INPUT_SIZE (64 * 1024)

enum load_state {
	LOAD_DOWN, /* to be opened, at retry_ns */
	LOAD_CONNECTING,
	LOAD_IDLE,
	LOAD_BUSY, /* a request is on its way, or its reply */
};

struct load_connection {
	int fd;
	enum load_state state;
	bool counts; /* its request does: the warm-up is over */
	bool has_answered;
	bool was_open;
	size_t sent; /* bytes of the request */
	uint64_t due_ns, retry_ns;
	struct load_reply reply;
};

/* A first-in first-out queue of connections, each once at most. */
struct load_idle {
	struct load_connection **ring;
	size_t first, count;
};

struct load_worker {
	const struct load_options *options;
	const atomic_bool *stop; /* set: no more requests */

	struct load_connection *connections;
	size_t count;
	size_t down, connecting, busy;
	struct load_idle idle;
	int epoll_fd;
	char *input; /* LOAD_INPUT_SIZE */

	uint64_t start_ns, measure_ns, end_ns; /* UINT64_MAX: not yet */
	struct load_schedule schedule;	       /* of an open loop */
	uint64_t due_ns;		       /* when its next request is */
	uint64_t last_ns; /* when the last reply has come */
	uint64_t reconnections;
	int connect_error;
	struct load_tally *tally;
};

/* -errno. To be ended with load_worker_done() in any case. */
int load_worker_init(struct load_worker *worker,
		     const struct load_options *options,
		     const atomic_bool *stop, unsigned part);
void load_worker_done(struct load_worker *worker);

/* Opens the connections, as many as there can be. 0 or -errno of epoll. */
int load_worker_connect(struct load_worker *worker);

/* Sends requests from @start_ns on, as the options say. As above. */
int load_worker_run(struct load_worker *worker, uint64_t start_ns,
		    unsigned part);

/* load_connection.c: what a worker does with one of its connections. */

/* Begins to open one that is down. */
void load_connection_open(struct load_worker *worker,
			  struct load_connection *connection);

/* Sends the request, due at @due_ns, on an idle one. */
void load_connection_start(struct load_worker *worker,
			   struct load_connection *connection, uint64_t due_ns,
			   uint64_t now_ns);

/* Something has happened to it, which epoll calls @events. */
void load_connection_handle(struct load_worker *worker,
			    struct load_connection *connection,
			    uint32_t events);

/* Gives its request up, if there is one, and closes it. */
void load_connection_drop(struct load_worker *worker,
			  struct load_connection *connection);

/* Takes the connection that has been idle longest; there must be one. */
struct load_connection *load_idle_pop(struct load_idle *idle, size_t capacity);

#endif
