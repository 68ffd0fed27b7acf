/* invoke_server.h - invocations by a running server, through its two doors. */
#ifndef EXECUTOR_CLI_INVOKE_SERVER_H
#define EXECUTOR_CLI_INVOKE_SERVER_H

#include <stdbool.h>

#include "executor/cli/invocation.h"

/* What only the HTTP door can do. */
struct invoke_http_options {
	bool async; /* an Event: print its id, do not wait for its end */
	bool tail;  /* the log's end on standard error */
};

/*
 * Invokes @function of the server at @url, an address as http_address.h has
 * them. Returns the exit code, after any message.
 */
int invoke_http(const char *url, const char *function,
		const struct invocation_options *options,
		const struct invoke_http_options *http);

/* The same over the unix socket at @path; "": the user's server's. */
int invoke_socket(const char *path, const char *function,
		  const struct invocation_options *options);

#endif
