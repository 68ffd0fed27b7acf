/* restore.h - makes used vms equal to their snapshot again. See snapshot.h. */
#ifndef SNAPSHOT_RESTORE_H
#define SNAPSHOT_RESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct snapshot;
struct vm;

/* What a restore did. */
struct restore_stats {
	size_t dirty_pages; /* reported for the first time */
	size_t hot_pages;   /* in the hot set */
	size_t copied_pages;
	uint64_t took_ns; /* of pool_release() */
};

/*
 * Makes @vm equal to the snapshot again, whatever its guest has done, and ready to
 * run. On the thread that owns the vm. @clean: the last exit was the doorbell's
 * DONE, after which the entry stub resets the vcpu; otherwise the complete vcpu
 * state is loaded. *@ret_stats, which may be NULL, says what the restore took. 0,
 * or -errno: then the vm is of no more use.
 */
int snapshot_restore(struct snapshot *snapshot, struct vm *vm, bool clean,
		     struct restore_stats *ret_stats);

/*
 * Gives the memory back that invocations have made the own of @vm, which was restored and is
 * idle: its pages are the snapshot's again. It is ready to run. On the thread that owns the
 * vm; slow. 0, or -errno: then the vm is of no more use.
 */
int snapshot_shrink(const struct snapshot *snapshot, struct vm *vm);

/*
 * Gives a vm that has shrunk the pages again that invocations write. That costs less than to
 * have the next one fault them in. Call it before that, on the thread that will run the vm.
 */
void snapshot_refill(const struct snapshot *snapshot, struct vm *vm);

#endif
