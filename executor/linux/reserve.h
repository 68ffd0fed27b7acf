/*
 * reserve.h - memory behind a program's reserve: addresses that have none at first.
 *
 * A page of the reserve is free, mapped without memory, or mapped with a frame: a page of
 * the heap that is marked AREA_FRAMES in the table of areas meanwhile. Page tables say
 * which frame it is (vm/tables.h).
 */
#ifndef EXECUTOR_LINUX_RESERVE_H
#define EXECUTOR_LINUX_RESERVE_H

#include <stdint.h>

struct layout;
struct space;

/*
 * Gives frames, which are zero, to the pages at @start that have none. -ENOMEM: the heap or
 * the tables for the reserve are full; then some may have one.
 */
int reserve_back(struct space *space, uint64_t start, uint64_t size);

/* Gives the frames of the pages at @start back to the heap. 0 or -errno. */
int reserve_release(struct space *space, uint64_t start, uint64_t size);

/* Pages of the reserve whose frames follow each other. */
struct reserve_run {
	uint64_t gva, gpa, size;
};

/* The first of them from @at on, by the tables in @memory; size 0: there are none. */
struct reserve_run reserve_next(const uint8_t *memory,
				const struct layout *layout, uint64_t at);

/*
 * Makes the tables of a process that is being frozen again, by address: how they came to
 * be does not show in them any more. 0 or -errno.
 */
int reserve_tidy(struct space *space);

#endif
