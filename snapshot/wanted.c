/* wanted.c - see wanted.h. */
#include "snapshot/wanted.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "guest/abi/thaw_abi.h"

/* Thaw's pages: from here to there. */
#define GIVEN_START THAW_GPA_SYSTEM
#define GIVEN_END (THAW_GPA_ENVIRONMENT + THAW_ENVIRONMENT_MAX)

/* All zero. NULL: there is none, or a load has it. */
static uint8_t *_Atomic kept;

static bool is_kept(const struct layout *layout)
{
	return layout->memory_size <= WANTED_KEPT_SIZE;
}

static size_t size_of(const struct layout *layout)
{
	return is_kept(layout) ? WANTED_KEPT_SIZE : layout->memory_size;
}

/*
 * Gives @memory its pages by two system calls in place of a fault for each. Where a kernel
 * is too old for this, pages come one by one.
 */
static void populate(uint8_t *memory, const struct layout *layout)
{
	/* most of these stay zero */
	(void)!madvise(memory + GIVEN_START, GIVEN_END - GIVEN_START,
		       MADV_POPULATE_READ);
	(void)!madvise(memory + layout->tables.start, layout->tables.size,
		       MADV_POPULATE_WRITE);
}

uint8_t *wanted_get(const struct layout *layout)
{
	uint8_t *memory = is_kept(layout) ? atomic_exchange(&kept, NULL) : NULL;

	if (!memory) {
		void *mapped = mmap(NULL, size_of(layout),
				    PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				    -1, 0);

		if (mapped == MAP_FAILED)
			return NULL;
		memory = mapped;
	}
	populate(memory, layout);
	return memory;
}

/* Zeroes what is not: a page that was only read is no memory of the process. */
static void clear(uint8_t *memory, uint64_t start, uint64_t end)
{
	static const uint8_t zero[THAW_PAGE_SIZE];

	for (uint64_t at = start; at < end; at += THAW_PAGE_SIZE)
		if (memcmp(memory + at, zero, THAW_PAGE_SIZE) != 0)
			memset(memory + at, 0, THAW_PAGE_SIZE);
}

void wanted_put(uint8_t *memory, const struct layout *layout)
{
	uint8_t *none = NULL;

	if (is_kept(layout)) {
		clear(memory, GIVEN_START, GIVEN_END);
		clear(memory, layout->tables.start,
		      layout->tables.start + layout->tables.size);
		if (atomic_compare_exchange_strong(&kept, &none, memory))
			return;
	}
	munmap(memory, size_of(layout));
}
