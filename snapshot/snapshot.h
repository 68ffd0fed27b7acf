/*
 * snapshot.h - a booted function, frozen; and vms that are exact copies of it.
 *
 *	snapshot_create(image, &options, &err, &snapshot);	boots it
 *	snapshot_start(snapshot, &err, &vm);			a copy
 *	... vm_write(), vm_run() ...				one invocation
 *	snapshot_restore(snapshot, vm, clean);			a copy again
 *	vm_free(vm);
 *	snapshot_free(snapshot);				when no vm is left
 *
 * What is frozen does not change; any number of threads may start and restore
 * different vms from one snapshot.
 */
#ifndef SNAPSHOT_SNAPSHOT_H
#define SNAPSHOT_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/abi/thaw_abi.h"
#include "snapshot/guest_log.h"
#include "vm/dirty.h"
#include "vm/image/image.h"
#include "vm/layout.h"
#include "vm/poll.h"
#include "vm/vm.h"

struct snapshot;

/*
 * What is called while init runs or sleeps, every SNAPSHOT_PAUSE_NS, on its thread.
 * It may wait: the time it takes is not init's. True: the snapshot is not needed any
 * more, and init is stopped.
 */
#define SNAPSHOT_PAUSE_NS UINT64_C(20000000)
struct snapshot_pause {
	bool (*call)(void *cookie); /* NULL: nobody asks */
	void *cookie;
};

struct snapshot_options {
	struct layout_config layout;
	uint64_t init_timeout_ns; /* from boot to READY */
	char *const *environment; /* NULL-terminated "NAME=value"s, or NULL */
	enum dirty_backend dirty; /* for the vms made from it */
	/*
	 * Restore by giving written pages back to the kernel (MADV_DONTNEED) and
	 * protecting all again, instead of copying. To compare with.
	 */
	bool remap;
	struct guest_log log; /* of init */
	struct snapshot_pause pause;
};

/*
 * Boots @image, waits until it says READY, and freezes it. On success the
 * caller owns *@ret_snapshot; @image is borrowed for the call. Errors:
 * -ETIMEDOUT not ready in time; -ECANCELED its init function failed, exited or
 * faulted (the message says how); -EPROTO it broke the contract; -ESHUTDOWN it
 * was cancelled; others from the system.
 */
int snapshot_create(const struct image *image,
		    const struct snapshot_options *options, struct error *err,
		    struct snapshot **ret_snapshot);

/* Frees @snapshot; NULL is fine. No vm made from it may be left. */
void snapshot_free(struct snapshot *snapshot);

/*
 * Has the vms made from now on wait for invocations at @gate, which gate_try()
 * has found good, when @rule says so.
 */
void snapshot_set_gate(struct snapshot *snapshot, enum vm_gate gate,
		       const struct poll_rule *rule);

/*
 * A vm that equals the snapshot and is ready to run, with the pages writable
 * that vms before it have written.
 */
int snapshot_start(struct snapshot *snapshot, struct error *err,
		   struct vm **ret_vm);

/* What a restore did. */
struct restore_stats {
	size_t dirty_pages; /* reported for the first time */
	size_t hot_pages;   /* in the hot set */
	size_t copied_pages;
};

/*
 * Makes @vm equal to the snapshot again, whatever the guest has done, and
 * ready to run. @clean: the last exit was the doorbell's DONE, after which the
 * entry stub resets the vcpu; otherwise its complete state is loaded.
 * *@ret_stats, which may be NULL, says what it took. 0, or
 * -errno: then the vm is of no more use.
 */
int snapshot_restore(struct snapshot *snapshot, struct vm *vm, bool clean,
		     struct restore_stats *ret_stats);

/*
 * Whether the memory of @vm, just restored, equals the snapshot's byte for
 * byte; the first address that differs is in *@ret_gpa. For tests: slow.
 */
bool snapshot_matches(const struct snapshot *snapshot, struct vm *vm,
		      uint64_t *ret_gpa);

/* For guest_log_take_begun(): the table of lines in vms of this snapshot. */
uint64_t snapshot_lines(const struct snapshot *snapshot);

const struct layout *snapshot_layout(const struct snapshot *snapshot);

/* Bytes of memory the snapshot itself takes: what boot has left in pages. */
size_t snapshot_bytes(const struct snapshot *snapshot);

/* Bytes of the pages that are restored. */
size_t snapshot_page_size(const struct snapshot *snapshot);

/* The handlers the image offers; checked, zero-terminated names. */
size_t snapshot_handler_count(const struct snapshot *snapshot);
const char *snapshot_handler_name(const struct snapshot *snapshot,
				  size_t index);

#endif
