/*
 * reload.h - another catalog while the server serves, and how it passes to the
 * workers. See generation.h. Main thread, unless said otherwise.
 */
#ifndef EXECUTOR_SERVER_RELOAD_H
#define EXECUTOR_SERVER_RELOAD_H

#include <stdbool.h>

#include "executor/server/server_state.h"

struct exchange;

/*
 * Reloads the catalog. @exchange gets the answer; if it is NULL, a reload that
 * cannot be now is begun by reload_again().
 */
void reload_begin(struct server *server, struct exchange *exchange);
void reload_again(struct server *server);

/* Has the main thread call reload_settle() soon. Any thread. */
void reload_wake(struct server *server);

/*
 * After each turn of the main thread: goes on with the reload, puts updates that
 * have booted into their places, sums up the readiness, and answers.
 */
void reload_settle(struct server *server);

/* A deployment_host's: has the main thread unload functions. Any thread. */
void reload_crowded(struct deployment_host *host);

/* Whether workers or other threads still have to do with a generation. */
bool reload_is_unsettled(const struct server *server);

/* Boots what is pending of the main thread's generation and not in @old. */
void reload_boot(struct server *server, const struct generation *old);

#endif
