/*
 * worker.h - a thread that serves: its io, its connections, its invocations.
 *
 * Everything in it belongs to its thread. Others speak to it by messages. The
 * server's main thread is one as well, for the admin listener, but is not among
 * the server's workers.
 */
#ifndef EXECUTOR_SERVER_WORKER_H
#define EXECUTOR_SERVER_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/timers.h"
#include "executor/io/io.h"
#include "executor/server/deployment.h"
#include "executor/server/invocation.h"
#include "executor/server/run_queue.h"

struct connection;
struct call;
struct exchange;
struct event;
struct server;

/* A listening socket of a worker. */
struct door {
	struct io_listener listener;
	struct worker *worker;
	/* Makes a connection of what was accepted. */
	void (*open)(struct door *door, int fd);
	bool checks_hosts; /* of requests; host_check.c */
	bool failed;	   /* and it was logged */
	bool inherited;	   /* somebody else keeps the socket */
	struct door *next;
};

/* Its next generation, on the way to it. */
struct generation_pass {
	struct io_message message; /* the first member */
	struct worker *worker;
	struct generation *generation; /* held */
};

/* What the main thread and a worker tell each other, each of it once. */
enum worker_order {
	WORKER_OPEN,
	WORKER_DRAIN,
	WORKER_STOP,
	WORKER_IS_UP, /* to the main thread */
	WORKER_IS_IDLE,
	WORKER_ORDERS,
};

struct worker_command {
	struct io_message message; /* the first member */
	struct worker *worker;
	void (*call)(struct worker *worker);
};

struct worker {
	struct server *server;
	unsigned index;
	pthread_t thread;
	struct io *io;
	struct timers timers;
	struct generation *generation; /* held */
	struct generation_pass pass;
	struct worker_command commands[WORKER_ORDERS];

	struct run_queue queue;
	struct invocation *polled; /* they run, and are looked at */
	size_t invocation_count;   /* started here and not ended */
	uint64_t flushed_ns;	   /* when replies were last submitted */

	struct door *doors;
	struct connection *connections;
	size_t connection_count;
	struct budget_purse purse;
	struct exchange *free_exchanges;
	size_t free_count;
	struct call *free_calls;
	size_t free_call_count;
	struct event *events, **last_event; /* accepted and not over */
	_Atomic uint64_t oldest_event_ns;   /* when; UINT64_MAX: none */
	size_t event_count;

	bool said_idle; /* while it drains */
	bool draining;	/* no new requests; connections close */
	bool stopping;	/* leave now */
};

/* Prepares the calling thread's worker; its generation is held for it. */
int worker_init(struct worker *worker, struct server *server, unsigned index,
		struct error *err);

/*
 * Listens at @fd, which is borrowed. One that is @inherited goes on without us:
 * who waits there when the server drains is the next one's.
 */
int worker_listen(struct worker *worker, int fd, bool inherited,
		  void (*open)(struct door *door, int fd), struct error *err);

/* Serves until it has stopped. */
void worker_run(struct worker *worker);

/* One round of that. */
void worker_turn(struct worker *worker, uint64_t until_ns);

/* No new connections and requests from now on. */
void worker_drain(struct worker *worker);

/* Whether nothing is left that came in. */
bool worker_is_idle(const struct worker *worker);

/* Closes what is left and frees; nothing runs any more. */
void worker_done(struct worker *worker);

#endif
