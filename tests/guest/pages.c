/*
 * pages.c - writes to the pages it is told, wherever they are on its heap.
 *
 * A request is an array of uint32_t, each a number of a byte on the heap.
 */
#include <thaw.h>

#define info ((const volatile struct thaw_info *)THAW_GPA_INFO)

THAW_HANDLER(pages)
{
	const uint32_t *offsets = request->data;

	for (size_t i = 0; i < request->size / sizeof(*offsets); i++) {
		uint64_t address = info->heap_start + offsets[i];

		if (address >= info->heap_end)
			thaw_fail("Test.Outside", "%u", (unsigned)offsets[i]);
		++*(volatile uint8_t *)address;
	}
	return 0;
}
