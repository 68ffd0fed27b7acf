/*
 * function_store.h - the snapshots of functions in a state directory: found there instead
 * of booted, and written there by a thread of its own. What is particular to Linux programs
 * is in program_store.h.
 */
#ifndef EXECUTOR_FUNCTION_STORE_H
#define EXECUTOR_FUNCTION_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "executor/libthaw.h"

/* Snapshots that wait to be written, and the one that is. */
#define FUNCTION_STORE_WRITES_MAX 256

struct function_store;
struct function_writing;
struct image;
struct json_t;
struct memory_kept;
struct snapshot;
struct snapshot_options;
struct snapshot_pause;
struct store;
struct stored_copy;

/*
 * Opens the state directory @path, in which files may take @size_max bytes; 0 is the
 * default. @log, which may be NULL, is told of snapshots that could not be written, of what
 * was learned and is no good, and, for the function "", of damage; on other threads. The
 * caller closes *@ret_store. Errors as store_open().
 */
int function_store_open(const char *path, uint64_t size_max, thaw_log_fn log,
			void *log_cookie, struct error *err,
			struct function_store **ret_store);

/*
 * Ends the thread that writes, once it has written all, or, if @at_once, as soon as it can.
 * Returns how many snapshots were not written for that. NULL is fine.
 */
unsigned function_store_close(struct function_store *store, bool at_once);

/* Waits until all has been written. */
void function_store_flush(struct function_store *store);

/*
 * Has another thread verify one file every @interval_ns: snapshot/store/scrub.h. @log is
 * told of those that are damaged. 0 or -errno.
 */
int function_store_scrub(struct function_store *store, uint64_t interval_ns,
			 struct error *err);

/* The function's name and image's path, for the manifest; borrowed. */
struct function_store_of {
	const char *name, *path;
};

/*
 * Makes the snapshot of @image and @options: from its file, if there is a good one; else
 * boots it. *@ret_is_stored says which. If it was booted, *@ret_writing is what is to be
 * written, which the caller passes to one of the functions below before @store is closed;
 * without memory for that it is NULL. If the file was no good, *@why says why. @store outlives
 * the snapshot, whose vms teach it what invocations need (snapshot/learned.h).
 * Errors as snapshot_create().
 */
int function_store_snapshot(
	struct function_store *store, const struct function_store_of *of,
	const struct image *image, const struct snapshot_options *options,
	struct error *err, struct error *why, bool *ret_is_stored,
	struct function_writing **ret_writing, struct snapshot **ret_snapshot);

/* What a function with a base is in the store. */
struct function_store_layer {
	const struct json_t *key;    /* by snapshot_key_function() */
	const struct snapshot *base; /* from its file */
};

/*
 * Makes the snapshot of such a function from its file. Errors as snapshot_load_layer(), in
 * @err; after them all but -ESHUTDOWN it can be made anew, and added. @err is empty if there
 * is no file.
 */
int function_store_find_layer(struct function_store *store,
			      const struct function_store_of *of,
			      const struct image *image,
			      const struct snapshot_options *options,
			      const struct function_store_layer *layer,
			      struct error *err,
			      struct snapshot **ret_snapshot);

/*
 * Prepares @snapshot, which was made anew, to be written: *ret_writing of
 * function_store_snapshot().
 */
struct function_writing *function_store_add_layer(
	struct function_store *store, const struct function_store_of *of,
	const struct image *image, const struct function_store_layer *layer,
	struct snapshot *snapshot);

/* The files. */
struct store *function_store_files(const struct function_store *store);

/*
 * Makes what is to be written for the function @name: @copy, which it takes; NULL: there is
 * none, and @no_copy says why. NULL: there is no memory.
 */
struct function_writing *function_store_prepare(struct function_store *store,
						const char *name,
						struct stored_copy *copy,
						const struct error *no_copy);

/*
 * Whether there is a file with the snapshot of that key, which needs not be verified any
 * more: store_has(). False as well if that cannot be found out.
 */
bool function_store_has(struct function_store *store, const struct json_t *key,
			uint64_t *ret_bytes);

/*
 * Has the snapshot written, and holds @kept, which may be NULL, until then. If
 * FUNCTION_STORE_WRITES_MAX are not written yet, it is not, and the log is told. NULL is
 * fine, as @writing.
 */
void function_store_write(struct function_writing *writing,
			  struct memory_kept *kept);

/*
 * Writes the snapshot on this thread, and calls @pause meanwhile. Returns 0 once there is a
 * file of it; else the log is told. NULL is fine, as @writing, and is not written.
 */
int function_store_write_now(struct function_writing *writing,
			     const struct snapshot_pause *pause);

/* It is not to be written. NULL is fine. */
void function_store_forget(struct function_writing *writing);

#endif
