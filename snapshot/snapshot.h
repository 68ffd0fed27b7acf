/*
 * snapshot.h - a booted function, frozen; and vms that are exact copies of it.
 *
 *	snapshot_create(image, &options, &err, &snapshot);	boot.h
 *	snapshot_start(snapshot, &err, &vm);			start.h: a copy
 *	... vm_write(), vm_run() ...				one invocation
 *	snapshot_restore(snapshot, vm, clean, NULL);		restore.h
 *	vm_free(vm);
 *	snapshot_free(snapshot);				when no vm is left
 *
 * What is frozen does not change; any number of threads may start and restore
 * different vms from one snapshot.
 */
#ifndef SNAPSHOT_SNAPSHOT_H
#define SNAPSHOT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm/layout.h"
#include "vm/poll.h"
#include "vm/vm.h"

struct snapshot;
struct thaw_function_entry;

/* Frees @snapshot; NULL is fine. No vm made from it may be left. */
void snapshot_free(struct snapshot *snapshot);

/*
 * Has the vms made from now on wait for invocations at @gate, which gate_try()
 * has found good, when @rule says so.
 */
void snapshot_set_gate(struct snapshot *snapshot, enum vm_gate gate,
		       const struct poll_rule *rule);

/*
 * Whether the memory of @vm, just restored, equals the snapshot's byte for
 * byte; the first address that differs is in *@ret_gpa. In page tables, the bits that
 * tell what was written do not count. For tests: slow.
 */
bool snapshot_matches(const struct snapshot *snapshot, struct vm *vm,
		      uint64_t *ret_gpa);

/* For guest_log_take_begun(): the table of lines in vms of this snapshot. */
uint64_t snapshot_lines(const struct snapshot *snapshot);

const struct layout *snapshot_layout(const struct snapshot *snapshot);

/* Bytes of memory the snapshot itself takes: what boot has left in pages. */
size_t snapshot_bytes(const struct snapshot *snapshot);

/*
 * What its guests' CLOCK_MONOTONIC is ahead of the host's, so that it is not before the time
 * at which they were frozen. 0 but for a snapshot from a file of before this machine started.
 */
uint64_t snapshot_ahead_ns(const struct snapshot *snapshot);

/* Its memory, which does not change. */
const uint8_t *snapshot_memory(const struct snapshot *snapshot);

/* Bytes of the pages that are restored. */
size_t snapshot_page_size(const struct snapshot *snapshot);

/* The handlers the image offers; checked, zero-terminated names. */
size_t snapshot_handler_count(const struct snapshot *snapshot);
const char *snapshot_handler_name(const struct snapshot *snapshot,
				  size_t index);

/* How many typed functions the guest says that its image declares. */
size_t snapshot_function_count(const struct snapshot *snapshot);

/*
 * The declarations that init has registered besides, as the guest has left them: a
 * copy, but not checked. They live as long as the snapshot. NULL: none.
 */
const struct thaw_function_entry *
snapshot_registered(const struct snapshot *snapshot, size_t *ret_count);

#endif
