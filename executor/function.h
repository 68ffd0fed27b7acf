/*
 * function.h - a deployed function: booted, snapshotted, with its pool of vms.
 */
#ifndef EXECUTOR_FUNCTION_H
#define EXECUTOR_FUNCTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/offload.h"
#include "executor/catalog.h"
#include "executor/host/host_function.h"
#include "executor/host_builtins.h"
#include "executor/libthaw.h"
#include "snapshot/gate.h"
#include "snapshot/guest_log.h"
#include "snapshot/pool.h"
#include "snapshot/snapshot.h"
#include "vm/dirty.h"
#include "vm/image/declarations.h"
#include "vm/image/image.h"

/* struct engine_options, checked, and what a server has besides. */
struct function_options {
	thaw_log_fn log;
	void *log_cookie;
	enum dirty_backend dirty;
	bool remap; /* see snapshot.h */
	bool verify;
	uint64_t poll_wait_ns;
	bool any_queue; /* no limit on waiters: the caller counts them */
	struct snapshot_pause pause; /* says true: deploying ends, -ESHUTDOWN */
	struct memory_budget *memory;	   /* of all functions; or NULL */
	const struct host_functions *host; /* that the program offers; or NULL */
	struct offload_pool *host_threads; /* run them; NULL: all are inline */
	struct host_invoker invoker;
};

/* How invocations were dispatched; any thread counts. */
struct function_counts {
	_Atomic uint64_t polled, exited;
	_Atomic uint64_t no_core; /* exited because all cores were taken */
	_Atomic uint64_t to_polled, to_exit; /* changes of is_polled */
	_Atomic bool is_polled;		     /* the last one was */
};

struct function {
	const struct catalog_function *spec; /* borrowed from the catalog */
	struct function_options options;
	struct guest_log log;
	struct image *image;
	struct snapshot *snapshot;
	/* the image's typed functions, then those that init has registered */
	struct declarations functions;
	struct pool *pool;
	uint32_t handler; /* index */
	const char *handler_name;
	bool is_typed;			      /* its requests are typed calls */
	const struct declaration *typed_only; /* of one; NULL: of all */
	struct host_caller host_caller;
	struct host_functions host;	 /* that it may call */
	struct gate_facts gate;		 /* VM_GATE_NONE: dispatch by exit */
	char no_gate[ERROR_MESSAGE_MAX]; /* why, if the catalog asks for one */
	struct function_counts counts;
	uint64_t clock_skew_ns; /* added to the guest's clocks; for tests */
	uint64_t deploy_ns;	/* image read, booted, frozen */
	size_t kept;		/* bytes of the budget that the snapshot has */
};

/*
 * Deploys the function that @spec describes. @spec belongs to a catalog, is borrowed,
 * and must outlive the function. The caller owns the function and frees it by
 * function_free(). Errors as thaw_deploy().
 */
int function_deploy(const struct catalog_function *spec,
		    const struct function_options *options, struct error *err,
		    struct function **ret_function);

/* Tells how invocations were dispatched so far; any thread. */
void function_get_stats(const struct function *function,
			struct thaw_stats *ret_stats);

/* Frees @function. No invocation of it may be under way. NULL is fine. */
void function_free(struct function *function);

#endif
