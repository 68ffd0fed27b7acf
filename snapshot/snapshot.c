/* snapshot.c - what can be asked of a snapshot, and its end. See snapshot.h. */
#include "snapshot/snapshot.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hot.h"
#include "snapshot/snapshot_internal.h"
#include "vm/boot_state.h"

struct snapshot *snapshot_allocate(enum dirty_backend dirty, bool remap)
{
	static _Atomic uint64_t ids;
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot)
		return NULL;
	snapshot->id = atomic_fetch_add(&ids, 1) + 1;
	snapshot->memory_fd = snapshot->copied_fd = -1;
	snapshot->dirty = dirty;
	snapshot->remap = remap;
	snapshot->page_size = (size_t)sysconf(_SC_PAGESIZE);
	return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	shells_drop(snapshot->id);
	if (snapshot->pristine)
		munmap((void *)snapshot->pristine,
		       snapshot->layout.memory_size);
	if (snapshot->memory_fd >= 0)
		close(snapshot->memory_fd);
	if (snapshot->copied_fd >= 0)
		close(snapshot->copied_fd);
	if (snapshot->layer.count)
		close(snapshot->layer.fd);
	vm_state_free(snapshot->state);
	free(snapshot->handlers);
	free(snapshot->registered);
	free(atomic_load(&snapshot->hot_expected));
	free(atomic_load(&snapshot->hot_seen));
	free(snapshot->learner);
	free(snapshot);
}

void snapshot_set_gate(struct snapshot *snapshot, enum vm_gate gate,
		       const struct poll_rule *rule)
{
	snapshot->gate = gate;
	snapshot->rule = *rule;
}

HOT const struct layout *snapshot_layout(const struct snapshot *snapshot)
{
	return &snapshot->layout;
}

uint64_t snapshot_ahead_ns(const struct snapshot *snapshot)
{
	return snapshot->ahead_ns;
}

const uint8_t *snapshot_memory(const struct snapshot *snapshot)
{
	return snapshot->pristine;
}

size_t snapshot_bytes(const struct snapshot *snapshot)
{
	struct stat stat;

	if (snapshot->layer.count)
		return snapshot->layer_bytes;
	if (snapshot->stored_bytes)
		return snapshot->stored_bytes;
	/* it is in units of 512 bytes, whatever the file's blocks are */
	if (fstat(snapshot->memory_fd, &stat))
		return snapshot->layout.memory_size;
	return (size_t)stat.st_blocks * 512;
}

HOT size_t snapshot_page_size(const struct snapshot *snapshot)
{
	return snapshot->page_size;
}

uint64_t snapshot_lines(const struct snapshot *snapshot)
{
	return snapshot->ready.lines;
}

size_t snapshot_handler_count(const struct snapshot *snapshot)
{
	return snapshot->handler_count;
}

size_t snapshot_function_count(const struct snapshot *snapshot)
{
	return snapshot->ready.function_count;
}

const struct thaw_function_entry *
snapshot_registered(const struct snapshot *snapshot, size_t *ret_count)
{
	*ret_count = snapshot->registered_count;
	return snapshot->registered;
}

const char *snapshot_handler_name(const struct snapshot *snapshot, size_t index)
{
	return snapshot->handlers[index];
}

bool snapshot_matches(const struct snapshot *snapshot, struct vm *vm,
		      uint64_t *ret_gpa)
{
	const struct layout_range *tables = &snapshot->layout.tables;
	const bool has_bits = vm_dirty(vm)->backend == DIRTY_TABLES;
	/* tables end the memory */
	const size_t size = has_bits ? tables->start :
				       snapshot->layout.memory_size;
	const uint8_t *memory = vm_memory(vm);

	*ret_gpa = tables->start;
	if (has_bits &&
	    !table_bits_match(memory + tables->start,
			      snapshot->pristine + tables->start, tables->size))
		return false;
	if (!memcmp(memory, snapshot->pristine, size))
		return true;
	*ret_gpa = 0;
	while (memory[*ret_gpa] == snapshot->pristine[*ret_gpa])
		++*ret_gpa;
	return false;
}
