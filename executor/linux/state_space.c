/*
 * state_space.c - the address space in a state: see state.h.
 *
 * Page tables are not in it. They are made from it as a boot makes them, and those in the
 * file's memory must be the same.
 */
#include "executor/linux/state_space.h"

#include <errno.h>

#include "executor/linux/process.h"
#include "executor/linux/reserve.h"
#include "executor/linux/state_codec.h"
#include "guest/abi/thaw_abi.h"
#include "vm/layout.h"
#include "vm/tables.h"

#define PAGE_MASK ((uint64_t)THAW_PAGE_SIZE - 1)
#define PROT_ALL (IMAGE_PROT_READ | IMAGE_PROT_WRITE | IMAGE_PROT_EXECUTE)

static bool is_pages(uint64_t start, uint64_t size)
{
	return size && !((start | size) & PAGE_MASK);
}

static bool is_within(const struct layout_range *range, uint64_t start,
		      uint64_t size)
{
	return start >= range->start && size <= range->size &&
	       start - range->start <= range->size - size;
}

static bool is_prot(const struct linux_process *process, unsigned prot)
{
	if (!prot)
		return true;
	if ((prot & ~(unsigned)PROT_ALL) || !(prot & IMAGE_PROT_READ))
		return false;
	return process->program->is_code_writable ||
	       !(prot & IMAGE_PROT_WRITE) || !(prot & IMAGE_PROT_EXECUTE);
}

/* Whether @area may be one of a program, behind those that end at @end. */
static bool is_area(const struct linux_process *process,
		    const struct area *area, uint64_t end)
{
	const struct layout *layout = process->space.layout;
	const uint64_t size = area->end - area->start;

	if (area->start < end || area->end <= area->start ||
	    !is_pages(area->start, size))
		return false;
	if (area->prot == AREA_FRAMES)
		return is_within(&layout->heap, area->start, size);
	return is_prot(process, area->prot) &&
	       (is_within(&layout->heap, area->start, size) ||
		is_within(&layout->stack, area->start, size) ||
		is_within(&layout->reserve, area->start, size));
}

static void state_areas(struct state *state, struct linux_process *process)
{
	struct areas *areas = &process->space.areas;
	const struct layout_range *stack = &process->space.layout->stack;
	size_t count = areas->count;
	uint64_t end = 0;

	STATE_NUMBER(state, count);
	/* areas_set() wants room for two more */
	state_need(state, count <= AREAS_MAX - 2, "the number of areas");
	if (state_is_read(state))
		areas->count = 0;
	for (size_t i = 0; i < count && state_is_good(state); i++) {
		struct area area = { 0, 0, 0 };

		if (!state_is_read(state))
			area = areas->list[i];
		STATE_NUMBER(state, area.start);
		STATE_NUMBER(state, area.end);
		STATE_NUMBER(state, area.prot);
		state_need(state, is_area(process, &area, end), "an area");
		end = area.end;
		if (state_is_read(state) && state_is_good(state) &&
		    areas_set(areas, area.start, area.end, area.prot))
			state_fail(state, -ENOMEM, "no memory for areas");
	}
	state_need(state,
		   areas_allow(areas, stack->start, stack->start + stack->size,
			       0),
		   "its stack");
}

/* Whether all pages from @start to @end are of frames. */
static bool is_frames(const struct areas *areas, uint64_t start, uint64_t end)
{
	while (start < end) {
		const struct area *area = areas_next(areas, start);

		if (!area || area->start > start || area->prot != AREA_FRAMES)
			return false;
		start = area->end;
	}
	return true;
}

static bool is_noted(const struct state *state, uint64_t gpa)
{
	const uint64_t page = gpa / THAW_PAGE_SIZE;

	return state->frames[page / 64] >> page % 64 & 1;
}

bool state_note_frames(struct state *state, const struct linux_process *process,
		       uint64_t gpa, uint64_t size)
{
	const struct space *space = &process->space;

	if ((gpa & PAGE_MASK) || !is_within(&space->layout->heap, gpa, size) ||
	    !is_frames(&space->areas, gpa, gpa + size))
		return false;
	for (uint64_t at = gpa; at < gpa + size; at += THAW_PAGE_SIZE) {
		const uint64_t page = at / THAW_PAGE_SIZE;

		if (is_noted(state, at))
			return false;
		state->frames[page / 64] |= UINT64_C(1) << page % 64;
	}
	return true;
}

bool state_has_all_frames(const struct state *state,
			  const struct linux_process *process)
{
	const struct areas *areas = &process->space.areas;

	for (size_t i = 0; i < areas->count; i++) {
		const struct area *area = &areas->list[i];

		for (uint64_t at = area->start;
		     area->prot == AREA_FRAMES && at < area->end;
		     at += THAW_PAGE_SIZE)
			if (!is_noted(state, at))
				return false;
	}
	return true;
}

static void read_run(struct state *state, struct linux_process *process,
		     const struct reserve_run *run, uint64_t end)
{
	struct space *space = &process->space;
	const struct layout *layout = space->layout;
	int r;

	state_need(state,
		   run->gva >= end && is_pages(run->gva, run->size) &&
			   is_within(&layout->reserve, run->gva, run->size) &&
			   areas_allow(&space->areas, run->gva,
				       run->gva + run->size, 0) &&
			   state_note_frames(state, process, run->gpa,
					     run->size),
		   "a frame");
	if (!state_is_good(state))
		return;
	r = vm_map(NULL, space->memory, layout, run->gva, run->gpa, run->size,
		   &space->tables_used);
	state_need(state, !r, "the tables of its frames");
}

/* The frames of the reserve, by address. */
static void state_frames(struct state *state, struct linux_process *process)
{
	const struct layout *layout = process->space.layout;
	uint64_t end = layout->reserve.start;
	struct reserve_run run = { .size = 0 };

	do {
		if (!state_is_read(state))
			run = reserve_next(state->memory, layout, end);
		STATE_NUMBER(state, run.size);
		if (!run.size)
			break;
		STATE_NUMBER(state, run.gva);
		STATE_NUMBER(state, run.gpa);
		if (state_is_read(state))
			read_run(state, process, &run, end);
		end = run.gva + run.size;
	} while (state_is_good(state));
}

/* Maps what the program can only read for the shim: frames that are not the reserve's. */
static void protect_withheld(const struct state *state,
			     const struct space *space, const struct area *area)
{
	for (uint64_t at = area->start; at < area->end; at += THAW_PAGE_SIZE)
		if (!is_noted(state, at))
			(void)vm_protect(NULL, space->memory, space->layout, at,
					 THAW_PAGE_SIZE, IMAGE_PROT_READ);
}

/* Whether each page of @area, of the reserve and accessible, has a frame. */
static bool is_backed(const struct space *space, const struct area *area)
{
	uint64_t gpa;

	for (uint64_t at = area->start; at < area->end; at += THAW_PAGE_SIZE)
		if (vm_next_frame(space->memory, space->layout, at,
				  at + THAW_PAGE_SIZE, &gpa) != at)
			return false;
	return true;
}

/* What the CPU fetches may have come as data, from a disk or by the network. */
static void flush(const struct state *state, const struct space *space,
		  const struct area *area)
{
	uint64_t gpa;

	if (!state->memory || !(area->prot & IMAGE_PROT_EXECUTE))
		return;
	for (uint64_t at = area->start; at < area->end; at += THAW_PAGE_SIZE) {
		char *code;

		gpa = at;
		if (at >= space->layout->reserve.start)
			vm_next_frame(space->memory, space->layout, at,
				      at + THAW_PAGE_SIZE, &gpa);
		code = (char *)(uintptr_t)(state->memory + gpa);
		__builtin___clear_cache(code, code + THAW_PAGE_SIZE);
	}
}

/* Makes page tables of all that was read. */
static void protect(struct state *state, const struct linux_process *process)
{
	const struct space *space = &process->space;

	for (size_t i = 0; i < space->areas.count && state_is_good(state);
	     i++) {
		const struct area *area = &space->areas.list[i];

		if (area->prot == AREA_FRAMES) {
			protect_withheld(state, space, area);
			continue;
		}
		if (area->prot && area->start >= space->layout->reserve.start)
			state_need(state, is_backed(space, area),
				   "pages without frames");
		if (!state_is_good(state))
			return;
		(void)vm_protect(NULL, space->memory, space->layout,
				 area->start, area->end - area->start,
				 area->prot);
		flush(state, space, area);
	}
}

static void state_break(struct state *state, struct linux_process *process)
{
	struct space *space = &process->space;
	const struct layout_range *heap = &space->layout->heap;

	STATE_NUMBER(state, space->break_start);
	STATE_NUMBER(state, space->break_end);
	state_need(state,
		   space->break_start >= heap->start &&
			   !(space->break_start & PAGE_MASK) &&
			   space->break_end >= space->break_start &&
			   space->break_end <= heap->start + heap->size,
		   "its break");
}

void state_space(struct state *state, struct linux_process *process)
{
	struct space *space = &process->space;

	state_break(state, process);
	state_areas(state, process);
	state_frames(state, process);
	state_bytes(state, space->used,
		    2 * space->used_words * sizeof(*space->used));
	if (!state_is_read(state) || !state_is_good(state))
		return;
	protect(state, process);
	if (state_is_good(state))
		space_freeze(space);
}
