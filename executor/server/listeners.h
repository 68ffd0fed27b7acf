/* listeners.h - binds the server's sockets, and opens its listeners. */
#ifndef EXECUTOR_SERVER_LISTENERS_H
#define EXECUTOR_SERVER_LISTENERS_H

#include "base/error.h"
#include "executor/server/http_connection.h"
#include "executor/server/listener.h"
#include "executor/server/server_state.h"

/* What requests mean that come in by listeners of each kind; NULL: no HTTP. */
struct listener_handlers {
	const struct http_handler *of[LISTENER_KINDS];
};

/*
 * Takes the sockets that systemd has handed over, and binds all others of the
 * options. Main thread, before workers start. 0 or -errno.
 */
int listeners_bind(struct server *server,
		   const struct listener_handlers *handlers, struct error *err);

/*
 * Has the sockets listen: those of the main thread, whose listeners it opens as
 * well; and those of the workers. Main thread. 0 or -errno.
 */
int listeners_start_main(struct server *server, struct error *err);
int listeners_start(struct server *server, struct error *err);

/* Opens the listeners of @worker, on its thread. */
void listeners_open(struct worker *worker);

/*
 * Removes the files of unix sockets, but not those of servers that came after
 * this one. Calls only what a signal handler may call.
 */
void listeners_unlink(const struct server *server);

/* Removes files, closes sockets and frees listeners; nobody accepts any more. */
void listeners_close(struct server *server);

#endif
