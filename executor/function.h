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
#include "executor/function_linux.h"
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

struct function_base;
struct function_store;
struct json_t;

/* struct engine_options, checked, and what a server has besides. */
struct function_options {
	thaw_log_fn log;
	void *log_cookie;
	enum dirty_backend dirty;
	bool remap; /* see snapshot.h */
	bool verify;
	uint64_t poll_wait_ns;
	struct linux_trace trace; /* of a program's system calls */
	struct linux_seen *seen;  /* by a program that boots; or NULL */
	bool any_queue; /* no limit on waiters: the caller counts them */
	struct snapshot_pause pause; /* says true: deploying ends, -ESHUTDOWN */
	struct memory_budget *memory; /* of all functions; or NULL */
	struct function_store *store; /* has images' snapshots; or NULL */
	const char *
		no_store; /* why there is none, though one is wanted; or NULL */
	const struct host_functions *host; /* that the program offers; or NULL */
	struct offload_pool *host_threads; /* run them; NULL: all are inline */
	struct host_invoker invoker;
	/* invoke_init(): it is in a layer above; NULL: no function has a base */
	int (*answer_init)(const struct catalog_function *spec,
			   const struct function_options *options,
			   struct snapshot *base, struct error *err,
			   struct snapshot **ret_snapshot);
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
	size_t name_size;		     /* of its name, with the zero */
	struct function_options options;
	struct guest_log log;
	struct image *image;	    /* NULL: a Linux program */
	enum dirty_backend tracker; /* of its vms: tracker_choose() */
	struct snapshot *snapshot;
	bool is_borrowed;		/* the snapshot is somebody else's */
	struct function_base *base;	/* that it is a layer over; or NULL */
	struct function_linux *program; /* NULL: an image */
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
	uint64_t clock_skew_ns;	  /* added to the guest's clocks; for tests */
	uint64_t ahead_ns;	  /* snapshot_ahead_ns() */
	uint64_t deploy_ns;	  /* image read, booted, frozen */
	bool is_stored;		  /* the snapshot is from the store */
	struct error not_stored;  /* why not, if it should be; "" */
	struct memory_kept *kept; /* what the snapshot has of the budget */
	struct function_writing *writing; /* that of the snapshot; or NULL */
};

/*
 * Deploys the function that @spec describes. @spec belongs to a catalog, is borrowed,
 * and must outlive the function. The caller owns the function and frees it by
 * function_free(). Errors as thaw_deploy().
 */
int function_deploy(const struct catalog_function *spec,
		    const struct function_options *options, struct error *err,
		    struct function **ret_function);

/*
 * The same for a guest that has booted already: @snapshot, which is the caller's, and
 * outlives the function. Its invocations are dispatched by exits.
 */
int function_deploy_over(const struct catalog_function *spec,
			 const struct function_options *options,
			 struct snapshot *snapshot, struct error *err,
			 struct function **ret_function);

/*
 * Finds what the snapshot of @spec depends on, by snapshot_key.h, without a boot. The
 * caller owns *@ret_key. Errors as thaw_deploy().
 */
int function_snapshot_key(const struct catalog_function *spec,
			  const struct function_options *options,
			  struct error *err, struct json_t **ret_key);

/* What is known of a function whose snapshot is stored, before it is deployed. */
struct function_stored {
	uint64_t bytes; /* of the snapshot's memory */
	/* what the image declares, without what init has registered */
	struct declarations functions, imports;
	char image_sha256[65];
};

/*
 * Whether function_deploy() of @spec would find its snapshot in the store of @options,
 * and read no more than that: the image is checked, has the handler, and is allowed what
 * it imports. Takes neither memory of vms nor descriptors. False also if that cannot be
 * found out. If true, the caller frees *@ret_stored by function_stored_done().
 */
bool function_find_stored(const struct catalog_function *spec,
			  const struct function_options *options,
			  struct function_stored *ret_stored);

/* All zero is fine. */
void function_stored_done(struct function_stored *stored);

/*
 * Counts an invocation that is polled or not, the latter because all cores were taken
 * if @is_refused; any thread, no lock.
 */
void function_count(struct function *function, bool polled, bool is_refused);

/* Tells how invocations were dispatched so far; any thread. */
void function_get_stats(const struct function *function,
			struct thaw_stats *ret_stats);

/* Frees @function. No invocation of it may be under way. NULL is fine. */
void function_free(struct function *function);

#endif
