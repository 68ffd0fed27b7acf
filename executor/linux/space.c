/* space.c - see space.h. */
#include "executor/linux/space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/linux/reserve.h"
#include "executor/linux/space_memory.h"
#include "guest/abi/thaw_abi.h"
#include "vm/layout.h"
#include "vm/tables.h"
#include "vm/vm.h"

#define READ_WRITE (IMAGE_PROT_READ | IMAGE_PROT_WRITE)
#define PAGE_MASK ((uint64_t)THAW_PAGE_SIZE - 1)

static uint64_t end_of(const struct layout_range *range)
{
	return range->start + range->size;
}

int space_init(struct space *space, const struct layout *layout,
	       uint8_t *memory)
{
	const uint64_t heap = layout->heap.start;

	*space = (struct space){
		.layout = layout,
		.memory = memory,
		.break_start = heap,
		.break_end = heap,
		.used_words = (layout->memory_size / THAW_PAGE_SIZE + 63) / 64,
	};
	space->used = calloc(2 * space->used_words, sizeof(*space->used));
	if (!space->used)
		return -ENOMEM;
	space->from_file = space->used + space->used_words;
	vm_protect(NULL, memory, layout, heap, layout->heap.size, 0);
	if (areas_set(&space->areas, end_of(&layout->heap) - SPACE_STACK_GUARD,
		      end_of(&layout->heap), 0))
		return -ENOMEM;
	return areas_set(&space->areas, layout->stack.start,
			 end_of(&layout->stack), READ_WRITE);
}

void space_done(struct space *space)
{
	areas_done(&space->areas);
	free(space->used);
	space->used = NULL;
}

int space_copy(struct space *to, const struct space *from, struct vm *vm)
{
	const bool is_new = !to->used;
	int r = 0;

	to->vm = vm;
	to->memory = vm_memory(vm);
	if (!is_new && !to->is_changed)
		return 0;
	if (is_new)
		to->used = malloc(2 * from->used_words * sizeof(*to->used));
	if (!to->used)
		return -ENOMEM;
	memcpy(to->used, from->used, 2 * from->used_words * sizeof(*to->used));
	to->used_words = from->used_words;
	to->from_file = to->used + to->used_words;
	r = areas_copy(&to->areas, &from->areas);
	to->layout = from->layout;
	to->is_frozen = true;
	to->is_planned = true;
	to->tables_used = from->tables_used;
	to->break_start = from->break_start;
	to->break_end = from->break_end;
	/* a copy that is not whole is to be made again */
	to->is_changed = r != 0;
	return r;
}

void space_freeze(struct space *space)
{
	const uint64_t end = end_of(&space->layout->heap);
	uint64_t at = space->layout->heap.start;

	while (at < end) {
		const struct area *next = areas_next(&space->areas, at);
		const uint64_t stop = next && next->start < end ? next->start :
								  end;

		if (stop > at)
			vm_protect(NULL, space->memory, space->layout, at,
				   stop - at, READ_WRITE);
		at = next && next->start < end ? next->end : end;
	}
	/* without memory for that it stays as it is, and no file of it will be taken */
	(void)reserve_tidy(space);
	space->is_frozen = true;
}

static int apply(struct space *space, uint64_t start, uint64_t size,
		 unsigned prot)
{
	return vm_protect(space->vm, space->memory, space->layout, start, size,
			  prot);
}

static bool is_reserve(const struct space *space, uint64_t gva)
{
	const struct layout_range *reserve = &space->layout->reserve;

	return gva - reserve->start < reserve->size;
}

/* The memory of the page at @gva; 0: it has none. */
static uint64_t page_of(const struct space *space, uint64_t gva)
{
	uint64_t gpa;

	if (!is_reserve(space, gva))
		return gva;
	vm_next_frame(space->memory, space->layout, gva, gva + THAW_PAGE_SIZE,
		      &gpa);
	return gpa;
}

/* How many of the @size bytes at @gva are in one page, if that has to be asked for. */
static size_t part_of(const struct space *space, uint64_t gva, size_t size)
{
	const size_t left = THAW_PAGE_SIZE - (gva & PAGE_MASK);

	return is_reserve(space, gva) && size > left ? left : size;
}

/* The memory at @gva, of which the first part_of() bytes lie together. */
static uint64_t memory_of(const struct space *space, uint64_t gva)
{
	const uint64_t within = is_reserve(space, gva) ? gva & PAGE_MASK : 0;
	const uint64_t page = page_of(space, gva - within);

	return page ? page + within : 0;
}

/* The first page from @at on that has memory, up to @end. */
static uint64_t next_page(const struct space *space, uint64_t at, uint64_t end)
{
	uint64_t gpa;

	return is_reserve(space, at) ?
		       vm_next_frame(space->memory, space->layout, at, end,
				     &gpa) :
		       at;
}

static int space_put(struct space *space, uint64_t to, const void *from,
		     size_t size)
{
	int r = 0;

	while (size && !r) {
		const size_t part = part_of(space, to, size);
		const uint64_t gpa = memory_of(space, to);

		r = gpa ? space_memory_put(space, gpa, from, part) : -EFAULT;
		to += part;
		from = (const uint8_t *)from + part;
		size -= part;
	}
	return r;
}

/* What was written as data is to be fetched as instructions. */
static void fetch_again(const struct space *space, uint64_t start,
			uint64_t size)
{
	const uint64_t end = start + size;

	while ((start = next_page(space, start, end)) < end) {
		const size_t part = part_of(space, start, end - start);
		char *code = (char *)space->memory + memory_of(space, start);

		__builtin___clear_cache(code, code + part);
		start += part;
	}
}

void space_note_file(struct space *space, uint64_t start, uint64_t size)
{
	space->is_changed = true;
	for (uint64_t at = start; at < start + size; at += THAW_PAGE_SIZE)
		if (page_of(space, at))
			space_memory_note_file(space, page_of(space, at), true);
}

static void space_change(struct space *space)
{
	space->is_changed = true;
	space->is_planned = false;
}

static bool is_in(const struct layout_range *range, uint64_t start,
		  uint64_t size)
{
	return start >= range->start && size <= range->size &&
	       start - range->start <= range->size - size;
}

bool space_is_inside(const struct space *space, uint64_t start, uint64_t size)
{
	return size && !((start | size) & PAGE_MASK) &&
	       (is_in(&space->layout->heap, start, size) ||
		is_in(&space->layout->reserve, start, size));
}

/* The start of the first frames from @at on; @end: there are none before. */
static const struct area *next_frames(const struct space *space, uint64_t at,
				      uint64_t end)
{
	const struct area *area = areas_next(&space->areas, at);

	while (area && area->start < end && area->prot != AREA_FRAMES)
		area = areas_next(&space->areas, area->end);
	return area && area->start < end ? area : NULL;
}

/* Maps pages of the reserve, which have frames only if they are accessible. */
static int map_reserve(struct space *space, uint64_t start, uint64_t size,
		       unsigned prot)
{
	int r = reserve_release(space, start, size);

	if (!r)
		r = areas_set(&space->areas, start, start + size, prot);
	if (r || !prot)
		return r;
	r = reserve_back(space, start, size);
	if (!r)
		return apply(space, start, size, prot);
	reserve_release(space, start, size);
	areas_clear(&space->areas, start, start + size);
	return r;
}

int space_map(struct space *space, uint64_t start, uint64_t size, unsigned prot)
{
	int r;

	if (!space_is_inside(space, start, size) ||
	    next_frames(space, start, start + size))
		return -ENOMEM;
	space_change(space);
	if (is_reserve(space, start))
		return map_reserve(space, start, size, prot);
	r = areas_set(&space->areas, start, start + size, prot);
	if (!r)
		r = apply(space, start, size, prot);
	return r ? r : space_memory_renew(space, start, size);
}

static int unmap_part(struct space *space, uint64_t start, uint64_t end)
{
	int r = 0;

	if (areas_are_free(&space->areas, start, end))
		return 0;
	space_change(space);
	if (is_reserve(space, start))
		r = reserve_release(space, start, end - start);
	if (!r)
		r = areas_clear(&space->areas, start, end);
	if (r || is_reserve(space, start))
		return r;
	return apply(space, start, end - start,
		     space->is_frozen ? READ_WRITE : 0);
}

int space_unmap(struct space *space, uint64_t start, uint64_t size)
{
	uint64_t end = start + size;
	int r = 0;

	if (!space_is_inside(space, start, size))
		return -EINVAL;
	while (start < end && !r) {
		const struct area *frames = next_frames(space, start, end);
		const uint64_t stop = frames ? frames->start : end;
		const uint64_t next = frames ? frames->end : end;

		if (stop > start)
			r = unmap_part(space, start, stop);
		start = next;
	}
	return r;
}

int space_protect(struct space *space, uint64_t start, uint64_t size,
		  unsigned prot)
{
	int r = 0;

	if (size > UINT64_MAX - start ||
	    !areas_allow(&space->areas, start, start + size, 0))
		return -ENOMEM;
	space_change(space);
	if (prot && is_reserve(space, start))
		r = reserve_back(space, start, size);
	if (r)
		return r;
	r = areas_set(&space->areas, start, start + size, prot);
	if (!r && (prot & IMAGE_PROT_EXECUTE))
		fetch_again(space, start, size);
	return r ? r : apply(space, start, size, prot);
}

int space_clear(struct space *space, uint64_t start, uint64_t size)
{
	const uint64_t end = start + size;
	int r = 0;

	space->is_changed = true;
	while (!r && (start = next_page(space, start, end)) < end) {
		const uint64_t page = page_of(space, start);

		if (!space_memory_is_file(space, page))
			r = space_memory_clear(space, page, THAW_PAGE_SIZE);
		start += THAW_PAGE_SIZE;
	}
	return r;
}

static int move_page(struct space *space, uint64_t from, uint64_t to)
{
	const uint64_t old = page_of(space, from);
	int r = 0;

	if (is_reserve(space, to))
		r = reserve_back(space, to, THAW_PAGE_SIZE);
	if (!r)
		r = space_put(space, to, space->memory + old, THAW_PAGE_SIZE);
	if (!r)
		space_memory_note_file(space, page_of(space, to),
				       space_memory_is_file(space, old));
	return r;
}

int space_move(struct space *space, uint64_t from, uint64_t to, uint64_t size)
{
	const uint64_t end = from + size;
	int r = 0;

	for (uint64_t at = from; !r && (at = next_page(space, at, end)) < end;
	     at += THAW_PAGE_SIZE)
		r = move_page(space, at, to + (at - from));
	if (!r)
		fetch_again(space, to, size);
	return r ? -ENOMEM : 0;
}

uint64_t space_set_break(struct space *space, uint64_t end)
{
	const uint64_t old = (space->break_end + PAGE_MASK) & ~PAGE_MASK;
	const uint64_t new = (end + PAGE_MASK) & ~PAGE_MASK;
	int r = 0;

	if (end < space->break_start || end > end_of(&space->layout->heap))
		return space->break_end;
	if (new > old) {
		/* as Linux does, leave a page before the next area */
		if (!areas_are_free(&space->areas, old, new + THAW_PAGE_SIZE))
			return space->break_end;
		r = space_map(space, old, new - old, READ_WRITE);
	} else if (new < old) {
		r = space_unmap(space, new, old - new);
	}
	if (r)
		return space->break_end;
	space_change(space);
	space->break_end = end;
	return end;
}

uint64_t space_find(const struct space *space, uint64_t size)
{
	const struct layout_range *heap = &space->layout->heap;

	if (!size || size > heap->size)
		return 0;
	return areas_gap(&space->areas, heap->start, end_of(heap), size);
}

uint64_t space_find_reserve(const struct space *space, uint64_t size)
{
	const struct layout_range *reserve = &space->layout->reserve;

	if (!size || size > reserve->size)
		return 0;
	return areas_gap(&space->areas, reserve->start, end_of(reserve), size);
}

uint64_t space_mapped(const struct space *space, unsigned prot)
{
	uint64_t size = 0;

	for (size_t i = 0; i < space->areas.count; i++) {
		const struct area *area = &space->areas.list[i];

		if ((area->prot & (prot | AREA_FRAMES)) == prot)
			size += area->end - area->start;
	}
	return size;
}

/* The end of the pages from @start on, up to @end, of which none has been used. */
static uint64_t unused_end(const struct space *space, uint64_t start,
			   uint64_t end)
{
	uint64_t page = start / THAW_PAGE_SIZE;

	while (page < end / THAW_PAGE_SIZE) {
		const uint64_t word = space->used[page / 64] >> page % 64;

		if (word)
			page += (uint64_t)__builtin_ctzll(word);
		else
			page = (page / 64 + 1) * 64;
		if (word)
			break;
	}
	page *= THAW_PAGE_SIZE;
	return page < end ? page : end;
}

bool space_is_unused(const struct space *space, uint64_t start, uint64_t size)
{
	return space_is_inside(space, start, size) &&
	       areas_are_free(&space->areas, start, start + size) &&
	       unused_end(space, start, start + size) == start + size;
}

/* The largest part of a gap that has not been used, if it is more than *@ret_. */
static void unused_of_gap(const struct space *space, uint64_t start,
			  uint64_t end, uint64_t *ret_start, uint64_t *ret_end)
{
	while (start < end) {
		const uint64_t stop = unused_end(space, start, end);

		if (stop - start > *ret_end - *ret_start) {
			*ret_start = start;
			*ret_end = stop;
		}
		start = stop + THAW_PAGE_SIZE;
	}
}

void space_unused(const struct space *space, uint64_t *ret_start,
		  uint64_t *ret_end)
{
	const uint64_t end = end_of(&space->layout->heap);
	uint64_t at = space->layout->heap.start;

	*ret_start = *ret_end = 0;
	while (at < end) {
		const struct area *next = areas_next(&space->areas, at);
		const uint64_t stop = next && next->start < end ? next->start :
								  end;

		if (stop > at)
			unused_of_gap(space, at, stop, ret_start, ret_end);
		if (!next)
			break;
		at = next->end;
	}
}

uint64_t space_withhold(struct space *space, uint64_t size)
{
	uint64_t start, end;

	space_unused(space, &start, &end);
	if (!size || size > end - start)
		return 0;
	start = end - size;
	space_change(space);
	if (areas_set(&space->areas, start, end, AREA_FRAMES) ||
	    space_memory_renew(space, start, size) ||
	    apply(space, start, size, IMAGE_PROT_READ))
		return 0;
	return start;
}

uint64_t space_unused_break(const struct space *space)
{
	const uint64_t start = (space->break_end + PAGE_MASK) & ~PAGE_MASK;
	const uint64_t heap_end = end_of(&space->layout->heap);
	const struct area *next = areas_next(&space->areas, start);
	uint64_t end = next && next->start < heap_end ? next->start : heap_end;

	/* as Linux does, leave a page before the next area */
	end = end - start > THAW_PAGE_SIZE ? end - THAW_PAGE_SIZE : start;
	end = unused_end(space, start, end);
	return end > space->break_end ? end : space->break_end;
}

static bool may(const struct space *space, uint64_t start, uint64_t size,
		unsigned prot)
{
	if (size > UINT64_MAX - start)
		return false;
	return areas_allow(&space->areas, start & ~PAGE_MASK, start + size,
			   prot);
}

bool space_is_code(const struct space *space, uint64_t start, size_t size)
{
	return may(space, start, size, IMAGE_PROT_EXECUTE);
}

size_t space_together(const struct space *space, uint64_t from, size_t size)
{
	const uint64_t start = memory_of(space, from);
	size_t done = part_of(space, from, size);

	while (done < size && memory_of(space, from + done) == start + done)
		done += part_of(space, from + done, size - done);
	return done;
}

const void *space_view(const struct space *space, uint64_t from, size_t size)
{
	if (!may(space, from, size, IMAGE_PROT_READ) ||
	    space_together(space, from, size) < size)
		return NULL;
	return space->memory + memory_of(space, from);
}

static void copy_out(const struct space *space, uint64_t from, uint8_t *to,
		     size_t size)
{
	while (size) {
		const size_t part = part_of(space, from, size);

		memcpy(to, space->memory + memory_of(space, from), part);
		from += part;
		to += part;
		size -= part;
	}
}

int space_read(const struct space *space, uint64_t from, void *to, size_t size)
{
	if (!size)
		return 0;
	if (!may(space, from, size, IMAGE_PROT_READ))
		return -EFAULT;
	copy_out(space, from, to, size);
	return 0;
}

bool space_may_write(const struct space *space, uint64_t to, size_t size)
{
	return may(space, to, size, IMAGE_PROT_WRITE);
}

int space_write(struct space *space, uint64_t to, const void *from, size_t size)
{
	if (!size)
		return 0;
	if (!may(space, to, size, IMAGE_PROT_WRITE))
		return -EFAULT;
	return space_put(space, to, from, size);
}

int space_fill(struct space *space, uint64_t to, const void *from, size_t size)
{
	const uint64_t start = to & ~PAGE_MASK;

	if (!size)
		return 0;
	if (!may(space, to, size, 0))
		return -EFAULT;
	/* the program may have mapped a file without access */
	if (is_reserve(space, to) &&
	    reserve_back(space, start,
			 ((to + size + PAGE_MASK) & ~PAGE_MASK) - start))
		return -ENOMEM;
	if (space_put(space, to, from, size))
		return -EFAULT;
	fetch_again(space, to, size);
	return 0;
}

int space_read_string(const struct space *space, uint64_t from, char *to,
		      size_t size)
{
	size_t used = 0;

	while (used < size) {
		const uint64_t at = from + used;
		uint64_t part = THAW_PAGE_SIZE - (at & PAGE_MASK);
		const char *end;

		if (part > size - used)
			part = size - used;
		if (!may(space, at, part, IMAGE_PROT_READ))
			return -EFAULT;
		memcpy(to + used, space->memory + memory_of(space, at), part);
		end = memchr(to + used, '\0', part);
		if (end)
			return (int)(end - to);
		used += part;
	}
	return -ENAMETOOLONG;
}
