/*
 * warm.c - gives new vms the hot set others have learned.
 *
 * A page can be written without a fault once the guest itself has written it.
 * So a new vm, before it is handed out, runs a few instructions of the entry
 * stub's page that write to each page of the hot set what it holds already.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "snapshot/snapshot_internal.h"
#include "vm/run.h"

/*
 * Pages that a new vm touches, at most: each costs a fault, and meanwhile others
 * wait for the thread that makes it. A function that writes more has its further
 * pages faulted in by its own first invocations.
 */
#define WARM_PAGES_MAX 2048

/* Far more than touching every page takes. */
#define WARM_TIMEOUT_NS (10 * NS_PER_S)

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

void snapshot_learn(struct snapshot *snapshot, struct vm *vm)
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
	/* pairs with the load in snapshot_warm() */
	if (!atomic_compare_exchange_strong(&snapshot->hot, &none, hot))
		free(hot);
}

int snapshot_warm(struct snapshot *snapshot, struct vm *vm)
{
	uint64_t *hot = atomic_load(&snapshot->hot);
	struct vm_exit exit;
	int r;

	if (!hot)
		return 0;
	r = vm_write(vm, snapshot->layout.request.start, hot,
		     (hot[0] + 1) * sizeof(*hot));
	if (r)
		return r;
	vm_enter_touch(vm);
	r = vm_run(vm, clock_now_ns() + WARM_TIMEOUT_NS, &exit);
	if (r)
		return r;
	if (exit.kind != VM_EXIT_DOORBELL || exit.bell != THAW_BELL_DONE)
		return -EIO;
	return snapshot_restore(snapshot, vm, true, NULL);
}
