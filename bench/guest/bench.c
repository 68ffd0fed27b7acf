/*
 * bench.c - the guest of `thaw bench`: one image for all rows, so that the
 * floor and what is compared to it find the same memory. Behind what the rows
 * take there are the hostile functions of --neighbours: see bench/neighbours.c.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <thaw.h>
#include <thaw_arch.h>

#define info ((const volatile struct thaw_info *)THAW_GPA_INFO)

/* Gets never ready, if the catalog says so. */
THAW_INIT(hang)
{
	if (!getenv("HANG"))
		return 0;
	for (;;)
		;
}

THAW_HANDLER(empty)
{
	return 0;
}

/* What empty is for bytes. */
THAW_FUNCTION(int, add, (int, a), (int, b))
{
	return a + b;
}

/* As often, and what it returns is dropped. */
THAW_FUNCTION(unsigned, call_host, (unsigned, count))
{
	struct thaw_value now;

	for (unsigned i = 0; i < count; i++)
		if (thaw_host_call("time", NULL, 0, THAW_TYPE_ULONG, &now))
			return i;
	return count;
}

static void dirty_pages(uint32_t count, uint32_t stride)
{
	const uint64_t step = (uint64_t)stride * THAW_PAGE_SIZE;
	uint64_t address = info->heap_start;

	if (count * step > info->heap_end - address)
		thaw_fail("Bench.HeapTooSmall", "%u pages do not fit",
			  (unsigned)count);
	for (uint32_t i = 0; i < count; i++, address += step)
		++*(volatile uint64_t *)address;
}

/*
 * Writes to pages of the heap that do not touch. The request begins with two
 * uint32_t: how many pages, and how many it is from one to the next.
 */
THAW_HANDLER(dirty)
{
	const uint32_t *order = request->data;

	dirty_pages(order[0], order[1]);
	return 0;
}

/* Rings the doorbell and does nothing else, for ever. */
THAW_HANDLER(ring)
{
	for (;;)
		thaw_arch_ring(THAW_BELL_DONE);
	return 0;
}

/* The same in one of 31 invocations; one page in the others. */
THAW_HANDLER(dirty_rarely)
{
	const uint32_t *order = request->data;

	dirty_pages(thaw_arch_counter() % 31 ? 1 : order[0], order[1]);
	return 0;
}

THAW_HANDLER(spin)
{
	for (;;)
		;
	return 0;
}

/* The request begins with an uint32_t, here and below: milliseconds; */
THAW_HANDLER(nap)
{
	const uint32_t *ms = request->data;
	const struct timespec duration = { .tv_nsec = (long)*ms * 1000000 };

	return nanosleep(&duration, NULL);
}

/* lines; */
THAW_HANDLER(log_lines)
{
	const uint32_t *lines = request->data;

	for (uint32_t i = 0; i < *lines; i++)
		thaw_log(THAW_LOG_INFO, "line %u", (unsigned)i);
	return 0;
}

/* bytes of the reply. */
THAW_HANDLER(reply)
{
	const uint32_t *bytes = request->data;
	size_t capacity;
	char *window = thaw_reply_buffer(&capacity);

	if (*bytes > capacity)
		thaw_fail("Bench.ReplyTooSmall", "%u bytes do not fit",
			  (unsigned)*bytes);
	memset(window, 'r', *bytes);
	return thaw_reply_commit(*bytes);
}

THAW_HANDLER(crash)
{
	uint64_t *volatile nowhere = NULL;

	*(volatile uint64_t *)nowhere = 1;
	return 0;
}

/* Its vm has to be replaced. */
THAW_HANDLER(spoil)
{
	thaw_arch_read_bell();
	return 0;
}

/*
 * Atomic additions to a number in two cache lines, for ever: a bus lock each,
 * for which some kernels have the CPU wait. A fault on arm64.
 */
THAW_HANDLER(lock_buses)
{
	static uint8_t lines[128] __attribute__((aligned(64)));

	for (;;)
		__atomic_fetch_add((uint32_t *)(void *)(lines + 62), 1,
				   __ATOMIC_SEQ_CST);
	return 0;
}
