/*
 * layer.h - memory that differs from that of another snapshot, in a file of its own.
 *
 * A layer's memory is the other one's, and over that some extents of the layer's file.
 * What is at an address is at the same offset in both. The extents are few, since each is
 * a mapping in each vm; so they have pages as well that do not differ.
 */
#ifndef VM_LAYER_H
#define VM_LAYER_H

#include <stdint.h>
#include <sys/types.h>

#include "vm/layout.h"

#define LAYER_EXTENTS_MAX 4

/* All zero: there is none. */
struct layer {
	int fd;	      /* a file, which does not change */
	off_t offset; /* where memory is in it */
	unsigned count;
	/* ascending, apart, not empty, in whole pages of the host */
	struct layout_range extents[LAYER_EXTENTS_MAX];
};

/* Maps the extents over @memory, private and with @prot. 0 or -errno. */
int layer_map(const struct layer *layer, uint8_t *memory, int prot);

#endif
