/* layered.c - see layered.h. On the thread that deploys a function. */
#include "snapshot/layered.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "snapshot/memory_file.h"
#include "snapshot/ready.h"
#include "snapshot/snapshot_internal.h"
#include "snapshot/store/file.h"
#include "vm/boot_state.h"

_Static_assert(sizeof(((struct layered_ready *)0)->ready) ==
		       sizeof(struct ready),
	       "its size");
_Static_assert(sizeof(((struct layered_ready *)0)->extents) ==
		       LAYER_EXTENTS_MAX * 2 * sizeof(uint64_t),
	       "their number");

/* Pages that differ from the base: a bit for each. */
struct changes {
	uint64_t *bits;
	size_t page_size;
};

static bool has_changed(const struct changes *changes, size_t page)
{
	return changes->bits[page / 64] >> (page % 64) & 1;
}

/* Whether the guest can write to @mapping, and finds there what it has left. */
static bool is_kept(const struct layout *layout,
		    const struct layout_mapping *mapping)
{
	const uint64_t start = mapping->range.start;

	return mapping->prot & IMAGE_PROT_WRITE &&
	       !(mapping->prot & LAYOUT_SUPERVISOR) &&
	       start >= THAW_GPA_IMAGE && start != layout->stack.start &&
	       start != layout->reply.start;
}

/* Finds what of the @size bytes at @start is in @range. False: nothing. */
static bool overlap(const struct layout_range *range, uint64_t start,
		    size_t size, struct layout_range *ret_part)
{
	const uint64_t range_end = range->start + range->size;
	const uint64_t end = start + size < range_end ? start + size :
							range_end;

	if (start < range->start)
		start = range->start;
	if (start >= end)
		return false;
	*ret_part = (struct layout_range){ start, end - start };
	return true;
}

/* Notes which pages of @range differ, of those that the guest may have written. */
static void find_changes(const struct snapshot *base, struct vm *vm,
			 const struct layout_range *range,
			 struct changes *changes)
{
	const struct dirty *dirty = vm_dirty(vm);
	const size_t size = changes->page_size;
	const uint8_t *memory = vm_memory(vm);

	for (size_t i = 0; i < dirty->count; i++) {
		const size_t page = dirty->pages[i];
		struct layout_range part;

		if (overlap(range, page * size, size, &part) &&
		    memcmp(memory + part.start, base->pristine + part.start,
			   part.size) != 0)
			changes->bits[page / 64] |= UINT64_C(1) << (page % 64);
	}
}

/* Adds a page, to the last extent if it is no more than @gap away. False: there is no room. */
static bool add_page(struct layer *layer, uint64_t start, size_t size,
		     uint64_t gap)
{
	struct layout_range *last = &layer->extents[layer->count];

	if (layer->count && start - last[-1].start - last[-1].size <= gap) {
		last[-1].size = start + size - last[-1].start;
		return true;
	}
	if (layer->count == LAYER_EXTENTS_MAX)
		return false;
	*last = (struct layout_range){ start, size };
	layer->count++;
	return true;
}

static bool try_extents(size_t pages, const struct changes *changes,
			uint64_t gap, struct layer *layer)
{
	layer->count = 0;
	for (size_t page = 0; page < pages; page++)
		if (has_changed(changes, page) &&
		    !add_page(layer, page * changes->page_size,
			      changes->page_size, gap))
			return false;
	return true;
}

/* Finds extents that have all changes; at least one, though nothing has changed. */
static void choose_extents(const struct layout *layout, struct changes *changes,
			   struct layer *layer)
{
	const size_t size = changes->page_size;
	const size_t pages = layout->memory_size / size;

	for (uint64_t gap = LAYERED_GAP;
	     !try_extents(pages, changes, gap, layer);)
		gap *= 2;
	if (!layer->count)
		layer->extents[layer->count++] =
			(struct layout_range){ layout->heap.start / size * size,
					       size };
}

/* Copies to @page what the guest has left of the page at @start: the rest is not kept. */
static void take_kept(const struct layout *layout, struct vm *vm,
		      uint64_t start, size_t size, uint8_t *page)
{
	for (unsigned i = 0; i < layout->mapping_count; i++) {
		const struct layout_range *range = &layout->mappings[i].range;
		struct layout_range part;

		if (is_kept(layout, &layout->mappings[i]) &&
		    overlap(range, start, size, &part))
			memcpy(page + (part.start - start),
			       vm_memory(vm) + part.start, part.size);
	}
}

/* Writes the page at @start into the layer's file, unless it is zero. 0 or -errno. */
static int write_page(struct snapshot *snapshot, const uint8_t *page,
		      uint64_t start)
{
	const size_t size = snapshot->page_size;

	if (store_is_zero(page, size))
		return 0;
	snapshot->layer_bytes += size;
	return pwrite(snapshot->layer.fd, page, size, (off_t)start) ==
			       (ssize_t)size ?
		       0 :
		       -EIO;
}

/* Writes an extent, with the base's bytes but for what the guest has left; @page is scratch. */
static int write_extent(struct snapshot *snapshot, const struct snapshot *base,
			struct vm *vm, const struct changes *changes,
			const struct layout_range *extent, uint8_t *page)
{
	const size_t size = snapshot->page_size;
	const uint64_t end = extent->start + extent->size;
	uint64_t given_back = extent->start;
	int r = 0;

	for (uint64_t at = extent->start; !r && at < end; at += size) {
		memcpy(page, base->pristine + at, size);
		if (has_changed(changes, at / size))
			take_kept(&base->layout, vm, at, size, page);
		r = write_page(snapshot, page, at);
		if (at + size - given_back < LAYERED_GIVE_BACK &&
		    at + size < end)
			continue;
		/* so no more than that is there twice */
		(void)madvise(vm_memory(vm) + given_back,
			      at + size - given_back, MADV_DONTNEED);
		given_back = at + size;
	}
	return r;
}

static int write_extents(struct snapshot *snapshot, const struct snapshot *base,
			 struct vm *vm, const struct changes *changes)
{
	const struct layer *layer = &snapshot->layer;
	cleanup_free uint8_t *page = malloc(snapshot->page_size);
	int r = page ? 0 : -ENOMEM;

	for (unsigned i = 0; !r && i < layer->count; i++)
		r = write_extent(snapshot, base, vm, changes,
				 &layer->extents[i], page);
	return r;
}

/* The parts of the hole from @start to @end that no extent is over. */
static void add_rest(struct snapshot *snapshot, uint64_t start, uint64_t end)
{
	for (unsigned i = 0; i < snapshot->layer.count; i++) {
		const struct layout_range *extent = &snapshot->layer.extents[i];

		if (extent->start >= end ||
		    extent->start + extent->size <= start)
			continue;
		if (extent->start > start)
			holes_add(&snapshot->holes, start,
				  extent->start - start);
		start = extent->start + extent->size;
	}
	if (start < end)
		holes_add(&snapshot->holes, start, end - start);
}

/* Maps what invocations find: the base's memory, and the layer over it. */
static int map_all(struct snapshot *snapshot, struct error *err)
{
	/* holes of a file take nothing: see snapshot/stored.c */
	const struct holes none = { .count = 0 };
	uint8_t *pristine;
	int r = holes_map(snapshot->stored_bytes ? &none : &snapshot->holes,
			  snapshot->memory_fd, snapshot->memory_offset,
			  snapshot->layout.memory_size, PROT_READ, &pristine);

	if (!r) {
		snapshot->pristine = pristine;
		r = layer_map(&snapshot->layer, pristine, PROT_READ);
	}
	return r ? error_set(err, r, "mapping a snapshot and its base: %s",
			     strerror(-r)) :
		   0;
}

/* Has @snapshot, whose layer is known, take the rest from @base. */
static int take_base(struct snapshot *snapshot, const struct snapshot *base,
		     struct error *err)
{
	snapshot->layout = base->layout;
	snapshot->ready = base->ready;
	snapshot->stored_bytes = base->stored_bytes;
	snapshot->memory_offset = base->memory_offset;
	memcpy(snapshot->file_hash, base->file_hash,
	       sizeof(snapshot->file_hash));
	for (unsigned i = 0; i < base->holes.count; i++)
		add_rest(snapshot, base->holes.of[i].start,
			 base->holes.of[i].start + base->holes.of[i].size);
	snapshot->memory_fd = fcntl(base->memory_fd, F_DUPFD_CLOEXEC, 0);
	if (snapshot->memory_fd < 0)
		return error_set(err, -errno, "another descriptor: %s",
				 strerror(errno));
	return map_all(snapshot, err);
}

/* Fills and seals the layer's file. */
static int make_file(struct snapshot *snapshot, const struct snapshot *base,
		     struct vm *vm, struct error *err)
{
	const struct layout *layout = &base->layout;
	const size_t pages = layout->memory_size / snapshot->page_size;
	cleanup_free uint64_t *bits = calloc(pages / 64 + 1, sizeof(*bits));
	struct changes changes = { bits, snapshot->page_size };
	int fd, r = bits ? dirty_collect(vm_dirty(vm)) : -ENOMEM;

	for (unsigned i = 0; !r && i < layout->mapping_count; i++)
		if (is_kept(layout, &layout->mappings[i]))
			find_changes(base, vm, &layout->mappings[i].range,
				     &changes);
	fd = r ? r : memory_file_create(layout->memory_size);
	if (fd < 0)
		return error_set(err, fd, "a file for what differs: %s",
				 strerror(-fd));
	choose_extents(layout, &changes, &snapshot->layer);
	snapshot->layer.fd = fd;
	r = write_extents(snapshot, base, vm, &changes);
	if (!r)
		r = memory_file_seal(fd);
	return r ? error_set(err, r, "writing what differs: %s", strerror(-r)) :
		   0;
}

static int copy_state(struct snapshot *snapshot, const struct snapshot *base,
		      struct error *err)
{
	snapshot->state = malloc(vm_state_size());
	if (!snapshot->state)
		return error_set(err, -ENOMEM, "no memory for a snapshot");
	memcpy(snapshot->state, base->state, vm_state_size());
	return 0;
}

int layered_create(const struct snapshot *base, struct vm *vm,
		   struct error *err, struct snapshot **ret_snapshot)
{
	struct snapshot *snapshot = snapshot_allocate(base->dirty, base->remap);
	int r;

	if (!snapshot)
		return error_set(err, -ENOMEM, "no memory for a snapshot");
	r = make_file(snapshot, base, vm, err);
	vm_spoil(vm);
	if (!r)
		r = take_base(snapshot, base, err);
	if (!r)
		r = copy_state(snapshot, base, err);
	if (!r)
		r = ready_read(snapshot, snapshot->pristine, err);
	if (r) {
		snapshot_free(snapshot);
		return r;
	}
	vm_flush_code(snapshot->pristine, &snapshot->layout);
	snapshot->frozen_ns = clock_now_ns() + base->ahead_ns;
	snapshot->ahead_ns = base->ahead_ns;
	*ret_snapshot = snapshot;
	return 0;
}

void layered_put(const struct snapshot *snapshot,
		 struct layered_ready *ret_ready)
{
	const struct layer *layer = &snapshot->layer;

	*ret_ready = (struct layered_ready){ .count = layer->count };
	memcpy(ret_ready->ready, &snapshot->ready, sizeof(ret_ready->ready));
	memcpy(ret_ready->base, snapshot->file_hash, sizeof(ret_ready->base));
	for (unsigned i = 0; i < layer->count; i++) {
		ret_ready->extents[i].start = layer->extents[i].start;
		ret_ready->extents[i].size = layer->extents[i].size;
	}
}

/* Copies the extents, if they are as choose_extents() makes them. */
static int take_extents(struct snapshot *snapshot,
			const struct layered_ready *ready, uint64_t memory_size)
{
	const uint64_t unit = snapshot->page_size;
	uint64_t end = 0;

	if (!ready->count || ready->count > LAYER_EXTENTS_MAX)
		return -EBADMSG;
	for (unsigned i = 0; i < ready->count; i++) {
		const uint64_t start = ready->extents[i].start;
		const uint64_t size = ready->extents[i].size;

		if (start < end || start > memory_size || !size ||
		    size > memory_size - start || start % unit || size % unit)
			return -EBADMSG;
		end = start + size;
		snapshot->layer.extents[i] =
			(struct layout_range){ start, size };
	}
	return 0;
}

int layered_open(struct snapshot *snapshot, const struct snapshot *base,
		 const void *bytes, size_t size, int fd, off_t offset,
		 struct error *err)
{
	struct layered_ready ready;

	if (size != sizeof(ready))
		return error_set(err, -EBADMSG, "it is of another guest");
	memcpy(&ready, bytes, sizeof(ready));
	if (memcmp(ready.base, base->file_hash, sizeof(ready.base)) != 0)
		return error_set(err, -ESTALE,
				 "its base has been booted again since");
	if (memcmp(ready.ready, &base->ready, sizeof(ready.ready)) != 0 ||
	    take_extents(snapshot, &ready, base->layout.memory_size))
		return error_set(err, -EBADMSG,
				 "its extents are not what thaw makes");
	snapshot->layer.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (snapshot->layer.fd < 0)
		return error_set(err, -errno, "another descriptor: %s",
				 strerror(errno));
	snapshot->layer.offset = offset;
	snapshot->layer.count = (unsigned)ready.count;
	return take_base(snapshot, base, err);
}
