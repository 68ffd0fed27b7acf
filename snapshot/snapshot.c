/* snapshot.c - what can be asked of a snapshot, and its end. See snapshot.h. */
#include "snapshot/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/snapshot_internal.h"

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	if (snapshot->pristine)
		munmap((void *)snapshot->pristine,
		       snapshot->layout.memory_size);
	if (snapshot->memory_fd >= 0)
		close(snapshot->memory_fd);
	vm_state_free(snapshot->state);
	free(snapshot->handlers);
	free(snapshot->registered);
	free(atomic_load(&snapshot->hot));
	free(snapshot);
}

void snapshot_set_gate(struct snapshot *snapshot, enum vm_gate gate,
		       const struct poll_rule *rule)
{
	snapshot->gate = gate;
	snapshot->rule = *rule;
}

const struct layout *snapshot_layout(const struct snapshot *snapshot)
{
	return &snapshot->layout;
}

size_t snapshot_bytes(const struct snapshot *snapshot)
{
	struct stat stat;

	/* it is in units of 512 bytes, whatever the file's blocks are */
	if (fstat(snapshot->memory_fd, &stat))
		return snapshot->layout.memory_size;
	return (size_t)stat.st_blocks * 512;
}

size_t snapshot_page_size(const struct snapshot *snapshot)
{
	return snapshot->page_size;
}

uint64_t snapshot_lines(const struct snapshot *snapshot)
{
	return snapshot->lines;
}

size_t snapshot_handler_count(const struct snapshot *snapshot)
{
	return snapshot->handler_count;
}

size_t snapshot_function_count(const struct snapshot *snapshot)
{
	return snapshot->function_count;
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
	const uint8_t *memory = vm_memory(vm);

	if (!memcmp(memory, snapshot->pristine, snapshot->layout.memory_size))
		return true;
	*ret_gpa = 0;
	while (memory[*ret_gpa] == snapshot->pristine[*ret_gpa])
		++*ret_gpa;
	return false;
}
