/*
 * host_function.h - host functions, and those of them that one function of the catalog
 * may call.
 */
#ifndef EXECUTOR_HOST_HOST_FUNCTION_H
#define EXECUTOR_HOST_HOST_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/libthaw.h"
#include "vm/image/declarations.h"

struct error;

/* Where a host function runs. */
enum host_run {
	HOST_RUN_OFFLOADED, /* on a thread for such functions */
	HOST_RUN_INLINE,    /* on the thread that runs the caller */
	/* begins there, and calls host_call_finish() itself, perhaps later */
	HOST_RUN_STARTED,
};

struct host_function {
	void (*call)(void *cookie, struct thaw_host_call *call);
	void *cookie;
	enum host_run run;
	struct declaration signature;
};

/* Any number of host functions, in the order of their names. */
struct host_functions {
	struct host_function *list;
	size_t count;
};

/*
 * Copies the @count functions that a program offers. The caller frees them by
 * host_functions_done(). -EINVAL: a name is no identifier, is too long, or is there
 * twice; a type does not exist; there are too many, or no call(); -ENOMEM.
 */
int host_functions_make(const struct thaw_host_function *given, size_t count,
			struct error *err, struct host_functions *ret);

/* Frees the list. All zero is fine. */
void host_functions_done(struct host_functions *functions);

/* The function called @name, or NULL. */
const struct host_function *
host_functions_find(const struct host_functions *functions, const char *name);

/*
 * Adds a copy of @function, which may be there already. -ENOMEM.
 */
int host_functions_add(struct host_functions *functions,
		       const struct host_function *function);

/*
 * Checks that each of @imports, which an image declares, is one of @allowed and has its
 * types. -ENOENT, -EINVAL: @err has the import and what is wrong with it.
 */
int host_functions_bind(const struct host_functions *allowed,
			const struct declarations *imports, struct error *err);

#endif
