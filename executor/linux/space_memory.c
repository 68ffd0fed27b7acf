/* space_memory.c - see space_memory.h. */
#include "executor/linux/space_memory.h"

#include <errno.h>
#include <string.h>

#include "executor/linux/space_state.h"
#include "guest/abi/thaw_abi.h"
#include "vm/vm.h"

int space_memory_put(struct space *space, uint64_t gpa, const void *from,
		     size_t size)
{
	if (space->is_frozen)
		return vm_write(space->vm, gpa, from, size);
	memcpy(space->memory + gpa, from, size);
	return 0;
}

int space_memory_clear(struct space *space, uint64_t start, uint64_t size)
{
	static const uint8_t zeros[THAW_PAGE_SIZE];

	for (uint64_t at = start; at < start + size; at += THAW_PAGE_SIZE) {
		const uint64_t page = at / THAW_PAGE_SIZE;
		const uint64_t bit = UINT64_C(1) << page % 64;

		if ((space->used[page / 64] & bit) &&
		    space_memory_put(space, at, zeros, sizeof(zeros)))
			return -ENOMEM;
		space->used[page / 64] |= bit;
	}
	return 0;
}

bool space_memory_is_file(const struct space *space, uint64_t at)
{
	const uint64_t page = at / THAW_PAGE_SIZE;

	return space->from_file[page / 64] >> page % 64 & 1;
}

void space_memory_note_file(struct space *space, uint64_t at, bool is_file)
{
	const uint64_t page = at / THAW_PAGE_SIZE;
	const uint64_t bit = UINT64_C(1) << page % 64;

	space->from_file[page / 64] &= ~bit;
	space->from_file[page / 64] |= is_file ? bit : 0;
}

int space_memory_renew(struct space *space, uint64_t gpa, uint64_t size)
{
	for (uint64_t at = 0; at < size; at += THAW_PAGE_SIZE)
		space_memory_note_file(space, gpa + at, false);
	return space_memory_clear(space, gpa, size);
}
