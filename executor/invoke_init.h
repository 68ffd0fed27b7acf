/* invoke_init.h - the init request of a function with a base. */
#ifndef EXECUTOR_INVOKE_INIT_H
#define EXECUTOR_INVOKE_INIT_H

#include "base/error.h"

struct catalog_function;
struct function_options;
struct snapshot;

/*
 * Has a vm of @base answer the init request of @spec, and freezes it. @options are the
 * function's. On success the caller owns *@ret_snapshot. -ECANCELED: the answer was an error;
 * others as function_deploy() and layered_create().
 */
int invoke_init(const struct catalog_function *spec,
		const struct function_options *options, struct snapshot *base,
		struct error *err, struct snapshot **ret_snapshot);

#endif
