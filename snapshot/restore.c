/*
 * restore.c - makes a vm equal to its snapshot again: the hot path. Runs on
 * the thread that owns the vm.
 *
 * A page the guest or the host has written joins the vm's hot set (dirty.h)
 * and stays writable: every restore copies it back without asking, so writing
 * it again causes no fault and no report. When the set has grown large, a
 * restore ends by protecting everything again, and the set starts anew.
 */
#include <errno.h>
#include <string.h>

#include "snapshot/snapshot_internal.h"

/* A hot set larger than this is given up after the restore. */
#define HOT_PAGES_MAX 256

int snapshot_start(const struct snapshot *snapshot, struct error *err,
		   struct vm **ret_vm)
{
	struct vm_config config = {
		.memory_size = snapshot->layout.memory_size,
		.memory_fd = snapshot->memory_fd,
		.dirty = snapshot->dirty,
	};
	struct vm *vm;
	int r;

	r = vm_create(&config, err, &vm);
	if (r)
		return r;
	r = vm_set_state(vm, snapshot->state, err);
	if (r) {
		vm_free(vm);
		return r;
	}
	*ret_vm = vm;
	return 0;
}

static void copy_back(const struct snapshot *snapshot, struct vm *vm)
{
	const struct dirty *dirty = vm_dirty(vm);
	size_t page_size = snapshot->page_size;
	uint8_t *memory = vm_memory(vm);

	for (size_t i = 0; i < dirty->count; i++) {
		size_t offset = dirty->pages[i] * page_size;

		memcpy(memory + offset, snapshot->pristine + offset, page_size);
	}
}

int snapshot_restore(const struct snapshot *snapshot, struct vm *vm, bool clean)
{
	struct dirty *dirty = vm_dirty(vm);
	int r;

	if (vm_spoiled(vm))
		return -ESTALE;
	/*
	 * First, since it finishes an exit that is still pending, and KVM may
	 * write guest memory in that.
	 */
	if (!clean) {
		r = vm_set_state(vm, snapshot->state, NULL);
		if (r)
			return r;
	}
	r = dirty_collect(dirty);
	if (r)
		return r;
	copy_back(snapshot, vm);
	if (dirty->count > HOT_PAGES_MAX) {
		r = dirty_forget(dirty);
		if (r)
			return r;
	}
	if (clean)
		vm_enter(vm);
	return 0;
}

bool snapshot_matches(const struct snapshot *snapshot, struct vm *vm,
		      uint64_t *ret_gpa)
{
	const uint8_t *memory = vm_memory(vm);

	if (!memcmp(memory, snapshot->pristine, snapshot->layout.memory_size))
		return true;
	*ret_gpa = 0;
	while (memory[*ret_gpa] == snapshot->pristine[*ret_gpa])
		++*ret_gpa;
	return false;
}
