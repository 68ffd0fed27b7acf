/* reserve.c - see reserve.h. */
#include "executor/linux/reserve.h"

#include <errno.h>
#include <stdlib.h>

#include "executor/linux/space_memory.h"
#include "executor/linux/space_state.h"
#include "guest/abi/thaw_abi.h"
#include "vm/layout.h"
#include "vm/tables.h"

#define READ_WRITE (IMAGE_PROT_READ | IMAGE_PROT_WRITE)

/* Finds memory for up to *@size bytes, as much as is free in one piece. 0: there is none. */
static uint64_t find_frames(const struct space *space, uint64_t *size)
{
	const struct layout_range *heap = &space->layout->heap;
	const uint64_t end = heap->start + heap->size;
	uint64_t pages = *size / THAW_PAGE_SIZE;
	uint64_t gpa = areas_gap(&space->areas, heap->start, end, *size);

	while (!gpa && pages > 1) {
		pages = (pages + 1) / 2;
		gpa = areas_gap(&space->areas, heap->start, end,
				pages * THAW_PAGE_SIZE);
	}
	*size = pages * THAW_PAGE_SIZE;
	return gpa;
}

static int give_frames(struct space *space, uint64_t start, uint64_t gpa,
		       uint64_t size)
{
	int r = areas_set(&space->areas, gpa, gpa + size, AREA_FRAMES);

	if (r)
		return r;
	r = space_memory_renew(space, gpa, size);
	if (!r)
		r = vm_map(space->vm, space->memory, space->layout, start, gpa,
			   size, &space->tables_used);
	if (!r)
		return 0;
	vm_unmap(space->vm, space->memory, space->layout, start, size);
	areas_clear(&space->areas, gpa, gpa + size);
	return r;
}

/* The same for pages of which none has a frame. */
static int back_gap(struct space *space, uint64_t start, uint64_t end)
{
	int r = 0;

	while (start < end && !r) {
		uint64_t size = end - start;
		const uint64_t gpa = find_frames(space, &size);

		r = gpa ? give_frames(space, start, gpa, size) : -ENOMEM;
		start += size;
	}
	return r;
}

int reserve_back(struct space *space, uint64_t start, uint64_t size)
{
	const uint64_t end = start + size;
	uint64_t gpa;
	int r = 0;

	if (size > space->layout->heap.size)
		return -ENOMEM;
	while (start < end && !r) {
		const uint64_t next = vm_next_frame(space->memory,
						    space->layout, start, end,
						    &gpa);

		if (next > start)
			r = back_gap(space, start, next);
		start = next + THAW_PAGE_SIZE;
	}
	return r;
}

/* How many of the @max bytes at @start have frames that follow on @gpa. */
static uint64_t frames_together(const struct space *space, uint64_t start,
				uint64_t gpa, uint64_t max)
{
	uint64_t size = THAW_PAGE_SIZE, next;

	while (size < max) {
		const uint64_t at = start + size;

		if (vm_next_frame(space->memory, space->layout, at,
				  at + THAW_PAGE_SIZE, &next) != at ||
		    next != gpa + size)
			break;
		size += THAW_PAGE_SIZE;
	}
	return size;
}

static int release_frames(struct space *space, uint64_t start, uint64_t gpa,
			  uint64_t size)
{
	int r = areas_clear(&space->areas, gpa, gpa + size);

	if (!r)
		r = vm_unmap(space->vm, space->memory, space->layout, start,
			     size);
	/* in a snapshot, what is free is mapped ahead */
	if (!r && space->is_frozen)
		r = vm_protect(space->vm, space->memory, space->layout, gpa,
			       size, READ_WRITE);
	return r;
}

int reserve_release(struct space *space, uint64_t start, uint64_t size)
{
	const uint64_t end = start + size;
	uint64_t gpa;
	int r = 0;

	while (!r && (start = vm_next_frame(space->memory, space->layout, start,
					    end, &gpa)) < end) {
		size = frames_together(space, start, gpa, end - start);
		r = release_frames(space, start, gpa, size);
		start += size;
	}
	return r;
}

struct reserve_run reserve_next(const uint8_t *memory,
				const struct layout *layout, uint64_t at)
{
	const uint64_t end = layout->reserve.start + layout->reserve.size;
	struct reserve_run run = { .size = 0 };
	uint64_t gpa;

	run.gva = vm_next_frame(memory, layout, at, end, &run.gpa);
	if (run.gva == end)
		return run;
	do {
		run.size += THAW_PAGE_SIZE;
		at = run.gva + run.size;
	} while (at < end &&
		 vm_next_frame(memory, layout, at, at + THAW_PAGE_SIZE, &gpa) ==
			 at &&
		 gpa == run.gpa + run.size);
	return run;
}

/* All of them, by address, on the heap. -ENOMEM. */
static int find_runs(const struct space *space, struct reserve_run **ret_runs,
		     size_t *ret_count)
{
	struct reserve_run run = { .gva = space->layout->reserve.start };
	struct reserve_run *runs = NULL, *more;
	size_t count = 0;

	for (;;) {
		run = reserve_next(space->memory, space->layout,
				   run.gva + run.size);
		if (!run.size)
			break;
		more = realloc(runs, (count + 1) * sizeof(*runs));
		if (!more) {
			free(runs);
			return -ENOMEM;
		}
		runs = more;
		runs[count++] = run;
	}
	*ret_runs = runs;
	*ret_count = count;
	return 0;
}

int reserve_tidy(struct space *space)
{
	const struct layout *layout = space->layout;
	struct reserve_run *runs;
	size_t count;
	int r = find_runs(space, &runs, &count);

	if (r)
		return r;
	vm_clear_reserve(space->memory, layout);
	space->tables_used = 0;
	for (size_t i = 0; i < count && !r; i++)
		r = vm_map(NULL, space->memory, layout, runs[i].gva,
			   runs[i].gpa, runs[i].size, &space->tables_used);
	free(runs);
	for (size_t i = 0; i < space->areas.count && !r; i++) {
		const struct area *area = &space->areas.list[i];

		if (area->start >= layout->reserve.start && area->prot)
			r = vm_protect(NULL, space->memory, layout, area->start,
				       area->end - area->start, area->prot);
	}
	return r;
}
