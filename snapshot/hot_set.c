/* hot_set.c - keeps what the first vm of a snapshot writes. See hot_set.h. */
#include "snapshot/hot_set.h"

#include <stdlib.h>

#include "snapshot/snapshot_internal.h"

/*
 * The most pages that a new vm touches. Each costs a fault, and meanwhile others
 * wait for the thread that makes the vm. A function that writes more has its further
 * pages faulted in by its own first invocations.
 */
#define WARM_PAGES_MAX 2048

/* An address in the host page at @start that the function may write, or 0. */
static uint64_t writable_address(const struct layout *layout, uint64_t start,
				 uint64_t size)
{
	for (unsigned i = 0; i < layout->mapping_count; i++) {
		const struct layout_mapping *m = &layout->mappings[i];
		uint64_t end = m->range.start + m->range.size;

		if (!(m->prot & IMAGE_PROT_WRITE) ||
		    (m->prot & LAYOUT_SUPERVISOR))
			continue;
		if (m->range.start < start + size && end > start)
			return m->range.start > start ? m->range.start : start;
	}
	return 0;
}

void hot_set_learn(struct snapshot *snapshot, struct vm *vm)
{
	const struct dirty *dirty = vm_dirty(vm);
	const struct layout *layout = &snapshot->layout;
	const size_t room = layout->request.size / sizeof(uint64_t) - 1;
	const size_t max = room < WARM_PAGES_MAX ? room : WARM_PAGES_MAX;
	uint64_t *hot, *none = NULL;

	if (atomic_load(&snapshot->hot))
		return;
	hot = calloc(dirty->count + 1, sizeof(*hot));
	if (!hot)
		return; /* it is only slower without */
	for (size_t i = 0; i < dirty->count && hot[0] < max; i++) {
		uint64_t address =
			writable_address(layout,
					 dirty->pages[i] * snapshot->page_size,
					 snapshot->page_size);

		if (address)
			hot[++hot[0]] = address;
	}
	/* pairs with the load in hot_set_get() */
	if (!atomic_compare_exchange_strong(&snapshot->hot, &none, hot))
		free(hot);
}

const uint64_t *hot_set_get(const struct snapshot *snapshot)
{
	return atomic_load(&snapshot->hot);
}
