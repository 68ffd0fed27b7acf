/* hot_set.c - keeps what the first vm of a snapshot writes. See hot_set.h. */
#include "snapshot/hot_set.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "snapshot/snapshot_internal.h"
#include "vm/tables.h"

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

/* So many addresses fit into the request window, in which the guest finds them. */
static size_t most_pages(const struct snapshot *snapshot)
{
	const size_t room =
		snapshot->layout.request.size / sizeof(uint64_t) - 1;

	return room < WARM_PAGES_MAX ? room : WARM_PAGES_MAX;
}

uint64_t *hot_set_read(const struct snapshot *snapshot, struct vm *vm)
{
	const struct dirty *dirty = vm_dirty(vm);
	const struct layout *layout = &snapshot->layout;
	const size_t max = most_pages(snapshot);
	uint64_t *hot = calloc(dirty->count + 1, sizeof(*hot));

	for (size_t i = 0; hot && i < dirty->count && hot[0] < max; i++) {
		uint64_t address =
			writable_address(layout,
					 dirty->pages[i] * snapshot->page_size,
					 snapshot->page_size);

		/* a program may have made a page writable that is not so at first */
		if (address && layout->is_program &&
		    !vm_may_write(snapshot->pristine, layout, address))
			continue;
		if (address)
			hot[++hot[0]] = address;
	}
	return hot;
}

bool hot_set_learn(struct snapshot *snapshot, struct vm *vm)
{
	uint64_t *hot, *none = NULL;

	if (atomic_load(&snapshot->hot_seen))
		return false;
	hot = hot_set_read(snapshot, vm);
	/* it is only slower without; pairs with the load in hot_set_get() */
	if (hot &&
	    atomic_compare_exchange_strong(&snapshot->hot_seen, &none, hot))
		return true;
	free(hot);
	return false;
}

int hot_set_advise(struct snapshot *snapshot, const uint32_t *pages,
		   size_t count, struct error *err)
{
	const size_t max = most_pages(snapshot), size = snapshot->page_size;
	uint64_t *hot = calloc(count + 1, sizeof(*hot));
	uint64_t last = 0;

	if (!hot)
		return error_set(err, -ENOMEM, "no memory for a hot set");
	for (size_t i = 0; i < count && hot[0] < max; i++) {
		const uint64_t start =
			(uint64_t)pages[i] * THAW_PAGE_SIZE / size * size;
		const uint64_t address =
			writable_address(&snapshot->layout, start, size);

		if (!address) {
			free(hot);
			return error_set(err, -EBADMSG,
					 "what was learned of a snapshot is "
					 "ignored: the function cannot write "
					 "to a page that it names");
		}
		/* pages of the host may be larger */
		if (address != last)
			hot[++hot[0]] = last = address;
	}
	free(atomic_exchange(&snapshot->hot_expected, hot));
	return 0;
}

void hot_set_expect(struct snapshot *snapshot, struct vm *vm)
{
	free(atomic_exchange(&snapshot->hot_expected,
			     hot_set_read(snapshot, vm)));
	/* if it has run often, it was learned from like others */
	free(atomic_exchange(&snapshot->hot_seen, NULL));
}

const uint64_t *hot_set_get(const struct snapshot *snapshot)
{
	const uint64_t *seen = atomic_load(&snapshot->hot_seen);

	return seen ? seen : atomic_load(&snapshot->hot_expected);
}

/*
 * Gives @vm the page at @gpa for its own, if the kernel can do that without showing the
 * shared page first. A first write by the guest would do it as well. But then the page
 * that it has read would be taken away in all vms of the process, since they share their
 * addresses: that costs more the more vms there are. Where it fails, the guest does it.
 */
static void own_page(const struct snapshot *snapshot, struct vm *vm,
		     uint64_t gpa)
{
	const size_t size = snapshot->page_size;

	(void)!madvise(vm_memory(vm) + gpa / size * size, size,
		       MADV_POPULATE_WRITE);
}

void hot_set_own(const struct snapshot *snapshot, struct vm *vm)
{
	const uint64_t *hot = hot_set_get(snapshot);

	own_page(snapshot, vm, THAW_GPA_INFO);
	for (uint64_t i = 1; hot && i <= hot[0]; i++)
		own_page(snapshot, vm, hot[i]);
}

int hot_set_disown(const struct snapshot *snapshot, struct vm *vm)
{
	const uint64_t *hot = hot_set_get(snapshot);
	const size_t size = snapshot->page_size;

	for (uint64_t i = 1; hot && i <= hot[0]; i++) {
		const size_t page = hot[i] / size;

		if (!dirty_has(vm_dirty(vm), page) &&
		    madvise(vm_memory(vm) + page * size, size, MADV_DONTNEED))
			return -errno;
	}
	return 0;
}
