/*
 * program_store.h - the snapshots of Linux programs in a state directory: function_store.h.
 *
 * A file has what the host knew of the frozen program (executor/linux/state.h) beside its
 * memory. It is taken only if all files of the host that the program had looked at are as
 * they were: else a start might read something else.
 */
#ifndef EXECUTOR_PROGRAM_STORE_H
#define EXECUTOR_PROGRAM_STORE_H

#include <stdbool.h>

#include "base/error.h"
#include "snapshot/store/format.h"

struct catalog_function;
struct function_store;
struct function_writing;
struct json_t;
struct linux_process;
struct linux_program;
struct linux_seen;
struct snapshot;
struct snapshot_options;

/* A program whose snapshot may be in the store; program_store_end() ends it. */
struct program_store {
	struct function_store *store; /* NULL: there is none */
	const struct catalog_function *spec;
	struct json_t *key;
	uint8_t hash[STORE_KEY_SIZE];
	struct linux_seen *seen;	  /* what a start looks at */
	struct linux_seen *own;		  /* the same, if it is ours */
	bool is_stored;			  /* the snapshot is from the store */
	struct error why;		  /* not, if there was one; or "" */
	struct function_writing *writing; /* what is to be written; or NULL */
};

/*
 * Prepares to find @spec, booted with @options, in @store. What the program looks at is
 * noted in @seen; NULL: there, if there is a store. -ENOMEM, or as kvm_open().
 */
int program_store_begin(struct function_store *store,
			const struct catalog_function *spec,
			const struct snapshot_options *options,
			struct linux_seen *seen, struct error *err,
			struct program_store *ret_my);

/*
 * Makes the frozen *@ret_process and the snapshot of @program from the file; both are the
 * caller's. 0; 1: there is none that is good, so the program is to be booted, with
 * my->seen; or -errno, which ends the deployment.
 */
int program_store_load(struct program_store *my,
		       const struct linux_program *program,
		       const struct snapshot_options *options,
		       struct error *err, struct linux_process *ret_process,
		       struct snapshot **ret_snapshot);

/* The program was booted: makes my->writing. */
void program_store_booted(struct program_store *my,
			  struct linux_process *process,
			  const struct snapshot *snapshot);

/* Frees what it has, but for my->writing. */
void program_store_end(struct program_store *my);

#endif
