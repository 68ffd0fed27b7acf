/*
 * invoke_socket.h - invokes a function of a running server over its unix
 * socket.
 */
#ifndef EXECUTOR_CLI_INVOKE_SOCKET_H
#define EXECUTOR_CLI_INVOKE_SOCKET_H

#include "executor/cli/invocation.h"

/*
 * Invokes @function of the server whose unix socket is at @path; "": of this
 * user's server. Returns the exit code, after any message.
 */
int invoke_socket(const char *path, const char *function,
		  const struct invocation_options *options);

#endif
