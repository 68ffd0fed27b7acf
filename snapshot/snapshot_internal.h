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
#include "snapshot/store/format.h"
#include "vm/dirty.h"
#include "vm/holes.h"
#include "vm/layer.h"
#include "vm/layout.h"
#include "vm/poll.h"
#include "vm/vm.h"

/*
 * What a guest has said when it was ready: from the mailbox, and hostile. A snapshot's
 * file has it as it is.
 */
struct ready {
	uint64_t handlers;   /* struct thaw_handler_entry[] */
	uint64_t dispatch;   /* the new thaw_info.dispatch */
	uint64_t lines;	     /* struct thaw_line[THAW_LINES], or 0 */
	uint64_t registered; /* struct thaw_function_entry[] */
	uint32_t abi_version;
	uint32_t handler_count, function_count, registered_count;
};

_Static_assert(sizeof(struct ready) == 48, "a file has it");

struct snapshot {
	const uint8_t *pristine; /* memory, mapped read-only */
	struct vcpu_state *state;
	uint64_t id;	  /* no other snapshot of this process has it */
	size_t page_size; /* the host's */
	enum dirty_backend dirty;
	bool remap;
	struct layout layout;
	int memory_fd;	     /* a sealed memfd, or a file of the store */
	off_t memory_offset; /* of memory in it */
	struct holes holes;  /* of memory */
	size_t stored_bytes; /* of a file of the store: pages that exist */
	uint8_t file_hash[STORE_HASH_SIZE]; /* of such a file; else zero */
	int copied_fd; /* such a file, in use, if the memory is a copy; else -1 */
	/* over the memory, if it is another snapshot's; and its pages that exist */
	struct layer layer;
	size_t layer_bytes;
	struct ready ready; /* as the guest says */
	uint64_t frozen_ns; /* CLOCK_MONOTONIC of the guest */
	uint64_t ahead_ns;  /* of the host's clock, is the guest's */
	size_t handler_count;
	/* those that init has registered; hostile */
	size_t registered_count;
	struct thaw_function_entry *registered;
	char (*handlers)[THAW_NAME_MAX];
	/*
	 * What the vms of this snapshot write, as learned (hot_set.c): counts and
	 * addresses. Each is set once, then read by any thread.
	 */
	_Atomic(uint64_t *) hot_expected, hot_seen;
	/* who is told of that, or NULL; and by how many invocations what it began with is */
	struct snapshot_learner *learner;
	unsigned advised_by;
	/* how its vms wait for invocations; set before there are any */
	enum vm_gate gate;
	struct poll_rule rule;
};

/* Makes one that has no memory yet; NULL: there is no memory for it. */
struct snapshot *snapshot_allocate(enum dirty_backend dirty, bool remap);

#endif
