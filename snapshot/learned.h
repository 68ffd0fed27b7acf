/*
 * learned.h - what a snapshot's vms are seen to write and to touch, kept for the next start:
 * snapshot/store/advice.h.
 *
 * The pages that they write are the hot set (hot_set.h). What they touch, the working set,
 * the kernel knows: those pages of a vm's memory that it has mapped into this process.
 * Both are those of one vm, from when it was made to its LEARN_AFTER-th restore, or to the
 * end of the function if that is before.
 */
#ifndef SNAPSHOT_LEARNED_H
#define SNAPSHOT_LEARNED_H

#include "base/error.h"
#include "snapshot/store/advice.h"

struct snapshot;
struct vm;

/* Who is told; it begins an allocation, which the snapshot frees. */
struct snapshot_learner {
	/* @advice is the callee's to free. Any thread; it must be short. */
	void (*learned)(struct snapshot_learner *learner,
			struct store_advice *advice);
};

/* Before the snapshot has vms. @learner becomes the snapshot's. */
void snapshot_set_learner(struct snapshot *snapshot,
			  struct snapshot_learner *learner);

/*
 * Tells the learner, if there is one, what is known by @vm, which has just been restored,
 * unless the snapshot began with as much. Any thread that owns @vm. It allocates, and looks
 * through the kernel's tables for the memory that init has left.
 */
void learned_tell(struct snapshot *snapshot, struct vm *vm);

/* The same at the end, of @vm, which is idle, unless a vm has told already. */
void learned_tell_at_end(struct snapshot *snapshot, struct vm *vm);

/*
 * Has @snapshot, which is being loaded from @file and has its layout, begin with what was
 * learned before; and the kernel read what invocations will touch. Without memory or a file
 * for it, nothing happens. If that is no good, it is ignored and *@err says so.
 */
void learned_use(struct snapshot *snapshot, struct store *store,
		 const struct store_file *file, struct error *err);

#endif
