/*
 * drain.h - how a server ends: it takes no new requests, what is under way ends,
 * and then the threads do. Main thread.
 */
#ifndef EXECUTOR_SERVER_DRAIN_H
#define EXECUTOR_SERVER_DRAIN_H

#include "executor/server/server_state.h"

/* Begins to drain. Before the server serves, ends the process instead. */
void drain_begin(struct server *server);

/* Ends the process with what is under way, since it was told to twice. */
void drain_now(struct server *server);

/*
 * From here on it is threads that end. A thread that does not end is not to keep
 * the server: the drain timeout goes on, and another signal ends the process.
 */
void drain_bound(struct server *server);

/* Nothing is left that could take long. */
void drain_unbound(void);

#endif
