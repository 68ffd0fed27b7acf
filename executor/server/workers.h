/*
 * workers.h - the threads of a server's workers: starting, telling and ending
 * them. Main thread, unless said otherwise.
 */
#ifndef EXECUTOR_SERVER_WORKERS_H
#define EXECUTOR_SERVER_WORKERS_H

#include "base/error.h"
#include "executor/server/server_state.h"

/* What workers of a server, and its main thread, do besides their io. */
extern const struct worker_calls workers_calls;

/*
 * Starts all workers with the main thread's generation, and waits until they are
 * up. 0 or -errno.
 */
int workers_start(struct server *server, struct error *err);

/* Has all workers make the @call that is @order. */
void workers_tell(struct server *server, enum worker_order order,
		  void (*call)(struct worker *worker));

/* Stops them. None of them runs anything any more when it returns. */
void workers_stop(struct server *server);

/* Has them free what they have, and joins their threads. */
void workers_join(struct server *server);

#endif
