/* invoke_http.h - invokes a function of a running server over HTTP. */
#ifndef EXECUTOR_CLI_INVOKE_HTTP_H
#define EXECUTOR_CLI_INVOKE_HTTP_H

#include <stdbool.h>

#include "executor/cli/invocation.h"

/* What only HTTP can do. */
struct invoke_http_options {
	bool async; /* an Event: prints its id, does not wait for its end */
	bool tail;  /* prints the log's end on standard error */
};

/*
 * Invokes @function of the server at @url, an address as http_address.h has
 * them. Returns the exit code, after any message.
 */
int invoke_http(const char *url, const char *function,
		const struct invocation_options *options,
		const struct invoke_http_options *http);

#endif
