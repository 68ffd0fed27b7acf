/* holes.c - see holes.h */
#include "vm/holes.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

void holes_add(struct holes *holes, size_t start, size_t size)
{
	unsigned at = holes->count;

	if (size < HOLES_SIZE_MIN)
		return;
	if (at == HOLES_MAX) {
		at = 0;
		for (unsigned i = 1; i < HOLES_MAX; i++)
			if (holes->of[i].size < holes->of[at].size)
				at = i;
		if (holes->of[at].size >= size)
			return;
	} else {
		holes->count++;
	}
	holes->of[at].start = start;
	holes->of[at].size = size;
}

void holes_find(int fd, size_t size, struct holes *ret_holes)
{
	off_t at = 0;

	*ret_holes = (struct holes){ .count = 0 };
	while (at >= 0 && (size_t)at < size) {
		off_t hole = lseek(fd, at, SEEK_HOLE);

		if (hole < 0 || (size_t)hole >= size)
			return;
		at = lseek(fd, hole, SEEK_DATA);
		holes_add(ret_holes, (size_t)hole,
			  (at < 0 ? size : (size_t)at) - (size_t)hole);
	}
}

/* In pages as small as those that are restored. */
static int map_hole(uint8_t *start, size_t size, int prot)
{
	if (mmap(start, size, prot,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
		 0) == MAP_FAILED)
		return -errno;
	/* kernels without large pages know no such advice */
	(void)!madvise(start, size, MADV_NOHUGEPAGE);
	return 0;
}

int holes_map(const struct holes *holes, int fd, off_t offset, size_t size,
	      int prot, uint8_t **ret_memory)
{
	uint8_t *memory =
		mmap(NULL, size, prot, MAP_PRIVATE | MAP_NORESERVE, fd, offset);
	int r = memory == MAP_FAILED ? -errno : 0;

	for (unsigned i = 0; !r && i < holes->count; i++) {
		r = map_hole(memory + holes->of[i].start, holes->of[i].size,
			     prot);
		if (r)
			munmap(memory, size);
	}
	if (!r)
		*ret_memory = memory;
	return r;
}
