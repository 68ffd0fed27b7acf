/*
 * areas.h - which parts of a Linux program's address space are mapped, and how. It is
 * the host's own table: nothing in guest memory is believed about it.
 *
 * Addresses are multiples of THAW_PAGE_SIZE; the callers see to that.
 */
#ifndef EXECUTOR_LINUX_AREAS_H
#define EXECUTOR_LINUX_AREAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A program may have so many areas; Linux permits 65,530. */
#define AREAS_MAX 4096

struct area {
	uint64_t start;
	uint64_t end;
	unsigned prot; /* IMAGE_PROT_*; 0: reserved, no access; or AREA_FRAMES */
};

/* Memory behind pages of the reserve, or of the shim: for the program, nothing is mapped there. */
#define AREA_FRAMES 0x100

struct areas {
	struct area *list; /* by address; neighbours of one prot are one area */
	size_t count;
	size_t capacity;
};

void areas_done(struct areas *areas);

/* Makes *@to, which holds areas, equal to *@from. 0 or -ENOMEM. */
int areas_copy(struct areas *to, const struct areas *from);

/* Maps @start to @end as @prot, in place of what is there. 0 or -ENOMEM. */
int areas_set(struct areas *areas, uint64_t start, uint64_t end, unsigned prot);

/* Unmaps @start to @end. 0 or -ENOMEM: an area would be split into one too many. */
int areas_clear(struct areas *areas, uint64_t start, uint64_t end);

/* The first area that ends behind @address; NULL: none does. */
const struct area *areas_next(const struct areas *areas, uint64_t address);

/* Whether all of @start to @end is mapped, with at least @prot. */
bool areas_allow(const struct areas *areas, uint64_t start, uint64_t end,
		 unsigned prot);

/* Whether nothing of @start to @end is mapped. */
bool areas_are_free(const struct areas *areas, uint64_t start, uint64_t end);

/*
 * The highest address between @low and @high at which @size bytes are free; 0: there is
 * none.
 */
uint64_t areas_gap(const struct areas *areas, uint64_t low, uint64_t high,
		   uint64_t size);

#endif
