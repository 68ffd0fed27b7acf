/*
 * server.h - `thaw serve`: a catalog's functions behind HTTP and a unix socket.
 *
 *	struct server_options options;
 *
 *	server_options_init(&options);
 *	options.catalog = "functions.json";
 *	r = server_run(&options, &err);		until it is told to end
 */
#ifndef EXECUTOR_SERVER_SERVER_H
#define EXECUTOR_SERVER_SERVER_H

#include "base/error.h"
#include "executor/server/server_options.h"

/*
 * Serves on this thread and on others until SIGTERM, SIGINT or /v1/drain, and then
 * until what was under way has ended. Returns 0, or -errno if the server could not
 * start, which it has logged. Logs through log.h, which must have been started. A
 * process runs one server at a time.
 */
int server_run(const struct server_options *options, struct error *err);

#endif
