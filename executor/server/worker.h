/*
 * worker.h - a thread of the server: its io, its timers, its listeners and its run
 * queue.
 *
 * A worker turns: it waits for its io, has callbacks called, and then runs what is
 * in its queue. It does not know what connections and invocations are: those files
 * are above it, and it calls them by struct worker_calls.
 *
 * All of it belongs to its thread. Others speak to it by messages (io_post()). The
 * server's main thread is a worker as well, for administration, but is not among
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
#include "executor/server/generation.h"
#include "executor/server/listener.h"
#include "executor/server/run_queue.h"
#include "executor/server/shared.h"

struct frame_call;
struct connection;
struct event;
struct exchange;
struct invocation;

/* What a worker has others do, on its thread. */
struct worker_calls {
	/*
	 * Runs some of what its queue has. False: there is nothing left that it
	 * need not wait for.
	 */
	bool (*run)(struct worker *worker);
	/* The worker drains: its listeners are closed. */
	void (*drain)(struct worker *worker);
	/* It has drained, and nothing is left; called more than once. */
	void (*idle)(struct worker *worker);
	/* Frees what is left; its io still turns. */
	void (*close)(struct worker *worker);
};

/* The worker's next generation, on the way to it. */
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
	struct shared *shared;
	const struct worker_calls *calls;
	unsigned index; /* the main thread's is shared->worker_count */
	pthread_t thread;
	struct io *io;
	struct timers timers;
	struct generation *generation; /* held */
	struct generation_pass pass;
	struct worker_command commands[WORKER_ORDERS];
	struct listener *listeners; /* open ones */
	struct timer half_open;	    /* while it drains: looks for those again */
	uint64_t half_open_until_ns;

	/* Of invocations (invocation.h). */
	struct run_queue queue;
	struct invocation *polled; /* they run, and are looked at */
	size_t invocation_count;   /* started here and not ended */
	unsigned waiting_replies;  /* that are not submitted yet */
	uint64_t waiting_since_ns; /* of the first of them */

	/* Of connections, and of what they keep to use again. */
	struct connection *connections;
	size_t connection_count;
	struct budget_purse purse;
	struct exchange *free_exchanges;
	size_t free_count;
	struct frame_call *free_calls;
	size_t free_call_count;

	/* Of Event invocations, accepted and not over. */
	struct event *events, **last_event;
	_Atomic uint64_t oldest_event_ns; /* its arrival; UINT64_MAX: none */
	size_t event_count;

	bool said_idle; /* while it drains */
	bool draining;	/* no new requests; connections close */
	bool stopping;	/* leave now */
};

/*
 * Prepares the calling thread's worker, which is zeroed: the one at @index of
 * @shared, or the main thread's. @calls are borrowed. Its generation is the
 * caller's to set, and held. worker_done() ends it.
 */
int worker_init(struct worker *worker, struct shared *shared,
		const struct worker_calls *calls, unsigned index,
		struct error *err);

static inline bool worker_is_main(const struct worker *worker)
{
	return worker->index == worker->shared->worker_count;
}

/* Accepts connections of @listener, which is borrowed until worker_done(). */
void worker_listen(struct worker *worker, struct listener *listener);

/* Turns until the worker is to stop. */
void worker_run(struct worker *worker);

/* Turns once: waits for events until @until_ns, and handles them. */
void worker_turn(struct worker *worker, uint64_t until_ns);

/*
 * Whether nothing is left of what came in, and nothing more can come. On the worker's
 * thread.
 */
bool worker_is_idle(const struct worker *worker);

/*
 * Takes no new connections and requests from now on. A socket that is not
 * inherited is shut down, once what waits in its backlog has been accepted, and, for
 * SERVER_HALF_OPEN_NS, those who are half connected.
 */
void worker_drain(struct worker *worker);

/*
 * Has @to, a worker or the main thread, make the @call that is @worker's @order.
 * Any thread.
 */
void worker_tell(struct worker *to, struct worker *worker,
		 enum worker_order order, void (*call)(struct worker *worker));

/* Closes what is left and frees it; nothing runs any more. */
void worker_done(struct worker *worker);

#endif
