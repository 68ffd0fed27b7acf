/*
 * bench.c - the guest of `thaw bench`: one image for all rows, so that the
 * floor and what is compared to it find the same memory.
 */
#include <thaw.h>
#include <thaw_arch.h>

#define info ((const volatile struct thaw_info *)THAW_GPA_INFO)

THAW_HANDLER(empty)
{
	return 0;
}

/*
 * Writes to pages of the heap that do not touch. The request begins with two
 * uint32_t: how many pages, and how many it is from one to the next.
 */
THAW_HANDLER(dirty)
{
	const uint32_t *order = request->data;
	const uint64_t step = (uint64_t)order[1] * THAW_PAGE_SIZE;
	uint64_t address = info->heap_start;

	if (order[0] * step > info->heap_end - address)
		thaw_fail("Bench.HeapTooSmall", "%u pages do not fit",
			  (unsigned)order[0]);
	for (uint32_t i = 0; i < order[0]; i++, address += step)
		++*(volatile uint64_t *)address;
	return 0;
}

/* Rings the doorbell and does nothing else, for ever. */
THAW_HANDLER(ring)
{
	for (;;)
		thaw_arch_ring(THAW_BELL_DONE);
	return 0;
}
