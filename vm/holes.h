/*
 * holes.h - maps a snapshot's memory without giving pages to its holes.
 *
 * When a hole of a memfd is read through a mapping, even a private one, the memfd
 * gets a page there. So the largest holes are mapped as anonymous memory instead: it
 * reads as zeros as well, and takes nothing until it is written. The kernel bounds
 * how many mappings a process has, so the smaller holes remain and may get pages.
 */
#ifndef VM_HOLES_H
#define VM_HOLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A function has four large ones: its heap, its stack and both windows. */
#define HOLES_MAX 4
#define HOLES_SIZE_MIN (64u << 10)

struct holes {
	struct {
		size_t start, size;
	} of[HOLES_MAX];
	unsigned count;
};

/* The largest holes of the memfd @fd of @size bytes, which does not change. */
void holes_find(int fd, size_t size, struct holes *ret_holes);

/* Whether @size bytes at @start are all in one of the holes, so that they are zeros. */
static inline bool holes_cover(const struct holes *holes, size_t start,
			       size_t size)
{
	for (unsigned i = 0; i < holes->count; i++) {
		/* a huge number if it is before the hole */
		size_t from = start - holes->of[i].start;

		if (from < holes->of[i].size &&
		    size <= holes->of[i].size - from)
			return true;
	}
	return false;
}

/* Adds a hole, in whole pages of the host, if it is one of the largest. */
void holes_add(struct holes *holes, size_t start, size_t size);

/*
 * Maps @size bytes of @fd from @offset on, private and with @prot; the caller unmaps
 * them. Holes are at offsets from there. 0 or -errno.
 */
int holes_map(const struct holes *holes, int fd, off_t offset, size_t size,
	      int prot, uint8_t **ret_memory);

#endif
