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

#include <stddef.h>
#include <stdint.h>

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

/*
 * Maps @size bytes of @fd, private and with @prot; the caller unmaps them. 0 or
 * -errno.
 */
int holes_map(const struct holes *holes, int fd, size_t size, int prot,
	      uint8_t **ret_memory);

#endif
