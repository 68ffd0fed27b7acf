/* snapshot_internal.h - struct snapshot, for the files of snapshot/. */
#ifndef SNAPSHOT_SNAPSHOT_INTERNAL_H
#define SNAPSHOT_SNAPSHOT_INTERNAL_H

#include <stdatomic.h>

#include "snapshot/snapshot.h"
#include "vm/poll.h"

struct snapshot {
	struct layout layout;
	int memory_fd;		 /* sealed memfd */
	struct holes holes;	 /* of it */
	const uint8_t *pristine; /* it, mapped read-only */
	struct vcpu_state *state;
	enum dirty_backend dirty;
	bool remap;
	size_t page_size; /* the host's */
	size_t handler_count;
	char (*handlers)[THAW_NAME_MAX];
	uint64_t lines; /* where the log lines are that have begun; or 0 */
	/*
	 * What the vms of this snapshot write, learned from the first of them
	 * (warm.c): a count and addresses. Set once, then read by any thread.
	 */
	_Atomic(uint64_t *) hot;
	/* how its vms wait for invocations; set before there are any */
	enum vm_gate gate;
	struct poll_rule rule;
};

/* warm.c: keeps the hot set of @vm for vms to come, unless there is one. */
void snapshot_learn(struct snapshot *snapshot, struct vm *vm);

/*
 * warm.c: makes the pages of the hot set writable in @vm, new and not yet run,
 * so that its first invocation does not fault them in. 0 or -errno.
 */
int snapshot_warm(struct snapshot *snapshot, struct vm *vm);

#endif
