/*
 * engine.h - a catalog's functions, each deployed when it is wanted first: what is
 * behind libthaw's struct thaw. It offers more than libthaw does: the choices that
 * tests, benchmarks and the command line make.
 *
 *	const struct engine_options options = { .verify = true };
 *
 *	r = engine_open("functions.json", &options, &err, &thaw);
 *	...
 *	r = thaw_invoke(thaw, "hello", &request, &error, &reply);
 *	...
 *	thaw_close(thaw);
 *
 * Any thread may make any call, except that engine_close() must be the last.
 */
#ifndef EXECUTOR_ENGINE_H
#define EXECUTOR_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "executor/libthaw.h"
#include "executor/linux/trace_text.h"

struct catalog_function;
struct function;

/* All zero is what thaw_open() does without options. */
struct engine_options {
	thaw_log_fn log; /* as in struct thaw_options */
	void *log_cookie;
	const struct thaw_host_function *host_functions;
	size_t host_function_count;
	/* How writes are tracked: NULL or "auto", "ring", "bitmap", "tables"; copied. */
	const char *dirty;
	/*
	 * How memory is restored: NULL or "copy"; "remap" gives written pages
	 * back to the kernel and protects all pages again, for comparison.
	 */
	const char *restore;
	/*
	 * Compare all guest memory with the snapshot after every restore, and
	 * abort() if they differ. Slow.
	 */
	bool verify;
	/*
	 * Not 0: functions whose dispatch is "polled" are polled however rarely
	 * they are invoked, and wait this long for the next invocation.
	 */
	uint64_t poll_wait_ns;
	/*
	 * The state directory, in which the snapshots of functions are kept, and
	 * the most bytes that they may take there; NULL: none; 0: the default. Copied.
	 * If it cannot be used, functions are booted: function->not_stored says why.
	 */
	const char *state_dir;
	uint64_t state_max;
	/* Takes the system calls of Linux programs, and early ends of them. */
	struct linux_trace trace;
};

/* As thaw_open() and thaw_open_text(). @options may be NULL. */
int engine_open(const char *path, const struct engine_options *options,
		struct thaw_error *error, struct thaw **ret_thaw);
int engine_open_text(const char *text, size_t size, const char *name,
		     const struct engine_options *options,
		     struct thaw_error *error, struct thaw **ret_thaw);

/* As thaw_close(). */
void engine_close(struct thaw *thaw);

/*
 * Returns the function called @name, and deploys it first if that has not been
 * done. It belongs to @thaw. Errors as thaw_deploy().
 */
int engine_deploy(struct thaw *thaw, const char *name, struct error *err,
		  struct function **ret_function);

/* The function called @name, or NULL if it is not deployed or does not exist. */
struct function *engine_find(struct thaw *thaw, const char *name);

/* What the catalog says of the function called @name, or NULL. It belongs to @thaw. */
const struct catalog_function *engine_spec(const struct thaw *thaw,
					   const char *name);

/* Why the state directory cannot be used, if there is to be one; else NULL. */
const char *engine_no_store(const struct thaw *thaw);

/* As thaw_trim(). */
size_t engine_trim(struct thaw *thaw, uint64_t idle_ns);

#endif
