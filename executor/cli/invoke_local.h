/* invoke_local.h - invokes a function in this process, by libthaw. */
#ifndef EXECUTOR_CLI_INVOKE_LOCAL_H
#define EXECUTOR_CLI_INVOKE_LOCAL_H

#include "executor/cli/invocation.h"
#include "executor/engine.h"
#include "executor/libthaw.h"

/* Returns the library's options for those of the command line. */
struct engine_options
invoke_local_options(const struct invocation_options *options);

/*
 * Reads the request, deploys @function of @thaw and invokes it here, as
 * @options say. Returns the exit code, after any message.
 */
int invoke_local(struct thaw *thaw, const char *function,
		 const struct invocation_options *options);

#endif
