/*
 * server_state.h - the server itself, for the files of its main thread. Workers
 * know only its struct shared.
 */
#ifndef EXECUTOR_SERVER_SERVER_STATE_H
#define EXECUTOR_SERVER_SERVER_STATE_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/container_of.h"
#include "base/error.h"
#include "base/timers.h"
#include "executor/function.h"
#include "executor/io/io.h"
#include "executor/server/boots.h"
#include "executor/server/catalog_watch.h"
#include "executor/server/listener.h"
#include "executor/server/shared.h"
#include "executor/server/worker.h"

struct reload;
struct reload_answer;

struct server {
	struct shared shared; /* with the workers */

	/* These do not change while workers run. */
	struct function_options function_options;
	struct function_store *store; /* or NULL */
	struct error no_store;	      /* why, though there should be one */
	struct boots *boots;
	struct listener *listeners, **last_listener;
	struct listener_limit metrics_limit; /* of the metrics listeners */

	/* Posted by each worker that runs nothing any more; posted for it to free. */
	sem_t left, leave;

	/* Has reload_settle() look for something to do. Any thread. */
	struct io_message wake;
	_Atomic bool is_woken;
	_Atomic bool has_booted;  /* a function is active, or has failed */
	_Atomic bool is_crowded;  /* functions are to be unloaded */
	_Atomic unsigned missing; /* workers to pass to the generation */

	/* These belong to the main thread. */
	struct worker main; /* admin listener, signals */
	struct io_poll signals;
	struct catalog_watch watch;
	struct timer drain_timer, notify_timer;
	struct timer sum_timer; /* sums up the functions, from next_sum_ns on */
	uint64_t next_sum_ns;
	unsigned starting;     /* workers that are not up yet */
	unsigned idle_workers; /* drained */
	struct error failure;  /* why it could not start */
	int result;
	struct reload *reload;	       /* being read, or passed to */
	struct reload_answer *answers; /* that wait for boots */
	bool reload_again;	       /* another one was asked for meanwhile */
	bool is_unsettled;	       /* updates may be active */
	bool is_booting;	       /* and the end was not logged */
	struct error reload_error;     /* of the last one; "" */
};

/* The server that @worker is of; for the main thread. */
static inline struct server *server_of_worker(const struct worker *worker)
{
	return container_of(worker->shared, struct server, shared);
}

#endif
