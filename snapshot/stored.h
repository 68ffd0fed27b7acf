/*
 * stored.h - snapshots in files, and from files: snapshot/store/store.h.
 *
 * A file is hostile. What the guest itself could not have changed is made anew from the
 * image and the options, as for a boot, and the file must have the same: page tables,
 * thaw's own pages, code and all else that the guest cannot write, and the vcpu's state.
 * What the guest could have changed is as hostile as after a boot, and passes the same
 * checks. So a file can do no more than a function can.
 */
#ifndef SNAPSHOT_STORED_H
#define SNAPSHOT_STORED_H

#include "base/error.h"
#include "snapshot/store/file.h"

struct image;
struct snapshot;
struct snapshot_options;
struct snapshot_pause;
struct store;
struct store_advice;
struct stored_copy;

/* What files of this machine are for. Errors as kvm_open(). */
int stored_machine(struct error *err, struct store_machine *ret_machine);

/*
 * Copies from @snapshot, which was booted or is over a base from a file, what is to be
 * written: the memory is not copied, but outlives the snapshot. @key and @manifest, a text,
 * are copied; @version is static. On success the caller owns *@ret_copy. Errors: -ENOMEM, or
 * from the system.
 */
int stored_copy(const struct snapshot *snapshot, const uint8_t *key,
		const char *version, const char *manifest, struct error *err,
		struct stored_copy **ret_copy);

/*
 * The same of a Linux program; @state, of @size bytes, is what the host knows of it: copied.
 */
int stored_copy_program(const struct snapshot *snapshot, const uint8_t *key,
			const char *version, const char *manifest,
			const void *state, size_t size, struct error *err,
			struct stored_copy **ret_copy);

/* Writes it: store_put(). -ESHUTDOWN: @pause has said so. Slow. Any thread. */
int stored_write(struct store *store, const struct stored_copy *copy,
		 const struct snapshot_pause *pause, struct error *err);

/*
 * Writes what was learned of the snapshot with @key, whose file is this machine's: 0, -ENOENT:
 * there is none; or another -errno. Slow. Any thread.
 */
int stored_write_learned(struct store *store, const uint8_t key[STORE_KEY_SIZE],
			 struct store_advice *advice);

/* NULL is fine. */
void stored_free(struct stored_copy *copy);

/*
 * Makes the snapshot of @image and @options from the file with @key. On success the caller
 * owns *@ret_snapshot, and *@err is empty, or says that what was learned of it is no good and
 * is ignored. -ENOENT: there is none; -EBADMSG, -ESTALE: it is no good, and has
 * been moved aside; the message says why; or as store_find() and snapshot_create().
 */
int snapshot_load(const struct image *image,
		  const struct snapshot_options *options, struct store *store,
		  const uint8_t *key, struct error *err,
		  struct snapshot **ret_snapshot);

/*
 * The same of one with a base, of the same image and options: layered.h. -ESTALE: it is over
 * another base's bytes; the file has been removed.
 */
int snapshot_load_layer(const struct image *image, const struct snapshot *base,
			const struct snapshot_options *options,
			struct store *store, const uint8_t *key,
			struct error *err, struct snapshot **ret_snapshot);

/* A file of a Linux program that is being loaded. */
struct stored_program_file {
	const void *state; /* as stored_copy_program() was given it; hostile */
	size_t state_size;
	const uint8_t *memory; /* the program's; hostile */
	uint64_t ahead_ns;     /* snapshot_ahead_ns() of the snapshot to come */
};

/* What its owner does with it. */
struct stored_program {
	const struct layout *layout; /* by layout_plan_program() */
	/*
	 * Reads and checks the state, and what of the memory the snapshot does not
	 * compare: see pages_match_program(). Makes page tables in @wanted as the state
	 * has them; there, thaw's own pages are already. 0; -EBADMSG, it is no good;
	 * -ESTALE, it was good once; or another -errno.
	 */
	int (*read)(void *cookie, const struct stored_program_file *file,
		    uint8_t *wanted, struct error *err);
	void *cookie;
};

/*
 * snapshot_load() of such a program. Errors as that and @program->read; after its -ESTALE
 * the file has been removed.
 */
int snapshot_load_program(const struct stored_program *program,
			  const struct snapshot_options *options,
			  struct store *store, const uint8_t *key,
			  struct error *err, struct snapshot **ret_snapshot);

#endif
