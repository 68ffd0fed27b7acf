/* layer.c - see layer.h */
#include "vm/layer.h"

#include <errno.h>
#include <sys/mman.h>

int layer_map(const struct layer *layer, uint8_t *memory, int prot)
{
	for (unsigned i = 0; i < layer->count; i++) {
		const struct layout_range *extent = &layer->extents[i];

		if (mmap(memory + extent->start, extent->size, prot,
			 MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, layer->fd,
			 layer->offset + (off_t)extent->start) == MAP_FAILED)
			return -errno;
	}
	return 0;
}
