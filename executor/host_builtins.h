/*
 * host_builtins.h - the host functions that thaw itself has. docs/host-functions.md
 * describes them.
 */
#ifndef EXECUTOR_HOST_BUILTINS_H
#define EXECUTOR_HOST_BUILTINS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "executor/host/host_function.h"

struct catalog_function;
struct error;
struct host_call;
struct offload_pool;
struct offload_share;

/* How a function calls another one of the catalog, by the host function `invoke`. */
struct host_invoker {
	/*
	 * Invokes @function with @size bytes at @data, all borrowed until it answers
	 * @call by host_call_finish(), now or later, on any thread. On the thread
	 * that runs the caller. NULL: nothing can be invoked.
	 */
	void (*invoke)(void *cookie, struct host_call *call,
		       const char *function, const void *data, size_t size);
	void *cookie;
};

/* What they know of the function of the catalog that calls them. */
struct host_caller {
	const struct catalog_function *spec;
	struct host_invoker invoker;
	bool is_typed; /* its requests are typed calls */
	struct offload_pool
		*threads; /* for what takes long; NULL: nothing does */
	struct offload_share *share; /* of them */
	/* Calls that run on them, or wait for them, the abandoned ones included. */
	_Atomic unsigned offloaded;
};

/* So many calls of one function of the catalog may run and wait on those threads. */
#define HOST_OFFLOADED_MAX 1024

/* One call of `random` returns so many bytes at most. */
#define HOST_RANDOM_MAX 4096

/* So many calls of `invoke` may be under way in a chain. */
#define HOST_INVOKE_DEPTH_MAX 8

/* The one called @name, or NULL; static. */
const struct host_function *host_builtin_find(const char *name);

/* Whether the function called @name in @functions is ours, and not a program's own. */
bool host_builtin_is(const struct host_functions *functions, const char *name);

/*
 * Refuses @name, which is neither ours nor one of @given, which may be NULL, with
 * -ENOENT; suggests another.
 */
int host_builtin_not_found(const struct host_functions *given, const char *name,
			   struct error *err);

#endif
