/* snapshot_internal.h - struct snapshot, for the files of snapshot/. */
#ifndef SNAPSHOT_SNAPSHOT_INTERNAL_H
#define SNAPSHOT_SNAPSHOT_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_typed.h"
#include "snapshot/snapshot.h"
#include "vm/dirty.h"
#include "vm/holes.h"
#include "vm/layout.h"
#include "vm/poll.h"
#include "vm/vm.h"

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
	size_t function_count; /* as the guest says */
	/* those that init has registered; hostile */
	size_t registered_count;
	struct thaw_function_entry *registered;
	char (*handlers)[THAW_NAME_MAX];
	uint64_t lines; /* where the log lines are that have begun; or 0 */
	/*
	 * What the vms of this snapshot write, learned from the first of them
	 * (hot_set.c): a count and addresses. Set once, then read by any thread.
	 */
	_Atomic(uint64_t *) hot;
	/* how its vms wait for invocations; set before there are any */
	enum vm_gate gate;
	struct poll_rule rule;
};

#endif
