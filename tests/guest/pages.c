/*
 * pages.c - writes to the pages it is told, wherever they are on its heap.
 */
#include <string.h>
#include <time.h>

#include <thaw.h>
#include <thaw_arch.h>

#include "hostile.h"
#include "pages.h"

#define info ((const volatile struct thaw_info *)THAW_GPA_INFO)

/* A request is an array of uint32_t, each a number of a byte on the heap. */
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

static size_t heap_pages(void)
{
	return (info->heap_end - info->heap_start) / THAW_PAGE_SIZE;
}

/* A byte of the heap's page @number, not the same in each. */
static volatile uint8_t *page_byte(size_t number)
{
	size_t page = number % heap_pages();

	return (volatile uint8_t *)(info->heap_start + page * THAW_PAGE_SIZE +
				    page % THAW_PAGE_SIZE);
}

static void change(const struct page_step *step)
{
	for (size_t i = 0; i < step->count && i < heap_pages(); i++)
		++*page_byte(step->first + i);
}

static void write_same(const struct page_step *step)
{
	for (size_t i = 0; i < step->count && i < heap_pages(); i++)
		*page_byte(step->first + i) = *page_byte(step->first + i);
}

static void check(const struct page_step *step)
{
	for (size_t i = 0; i < step->count && i < heap_pages(); i++)
		if (*page_byte(step->first + i))
			thaw_fail("Test.Soiled", "page %zu", step->first + i);
}

static void write_stack(uint32_t kib)
{
	volatile uint8_t frame[1024];

	memset((void *)frame, 0xa5, sizeof(frame));
	if (kib > 1)
		write_stack(kib - 1);
	frame[0] = 0; /* not a tail call */
}

static void reply(const struct page_step *step)
{
	size_t capacity;
	void *window = thaw_reply_buffer(&capacity);

	if (step->count <= capacity)
		memset(window, (int)step->first, step->count);
	if (thaw_reply_commit(step->count))
		thaw_fail("Test.TooLarge", "%u", (unsigned)step->count);
}

static void take(const struct page_step *step)
{
	switch (step->kind) {
	case STEP_CHANGE:
		change(step);
		return;
	case STEP_SAME:
		write_same(step);
		return;
	case STEP_CHECK:
		check(step);
		return;
	case STEP_STACK:
		write_stack(step->count);
		return;
	case STEP_REPLY:
		reply(step);
		return;
	case STEP_LOG:
		thaw_log(THAW_LOG_INFO, "page %u", (unsigned)step->first);
		return;
	case STEP_RING:
		thaw_arch_ring((uint8_t)step->first);
		return;
	case STEP_FAIL:
		thaw_fail("Test.Failed", "as asked");
	case STEP_FAULT:
		change(step);
		poke(8);
		return;
	case STEP_SPIN:
		for (;;)
			change(step);
	case STEP_SLEEP:
		nanosleep(&(struct timespec){ .tv_nsec = (long)step->count *
							 1000000 },
			  NULL);
		return;
	default:
		thaw_fail("Test.Unknown", "step %u", (unsigned)step->kind);
	}
}

THAW_HANDLER(steps)
{
	const struct page_request *asked = request->data;

	for (uint32_t i = 0; i < asked->step_count; i++)
		take(&asked->steps[i]);
	return 0;
}
