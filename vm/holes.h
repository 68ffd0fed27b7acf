/*
 * holes.h - maps a snapshot's memory without giving pages to its holes.
 *
 * A memfd gets a page as soon as a hole of it is read through a mapping, though
 * it is private. So the largest holes are mapped as anonymous memory: it reads
 * as zeros, too, and takes nothing before it is written. Only the largest, since
 * the kernel bounds how many mappings a process has; others get their pages.
 */
#ifndef VM_HOLES_H
#define VM_HOLES_H

#include <stddef.h>
#include <stdint.h>

/* Heap, stack and both windows are what a function has of large ones. */
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
