/*
 * transfer.h - the bytes that a call reads or writes: a list of buffers of the program,
 * which are filled, or taken from, in order. The buffers are hostile: they may lie
 * anywhere, and overlap.
 */
#ifndef EXECUTOR_LINUX_TRANSFER_H
#define EXECUTOR_LINUX_TRANSFER_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct space;

/* One call transfers at most so many bytes: it must not outlast the deadline. */
#define TRANSFER_MAX (64u << 20)
/* Buffers in a list. */
#define TRANSFER_PARTS_MAX IOV_MAX

/* struct iovec of the kernel's interface. */
struct transfer_part {
	uint64_t at, size;
};

struct transfer {
	struct space *space;
	const struct transfer_part *parts; /* borrowed */
	size_t count;
	struct transfer_part now; /* what is left of the current part */
	uint64_t left;		  /* bytes, of all parts */
};

/* Begins with @count @parts, which it borrows. 0; -EINVAL: a size is negative. */
int transfer_init(struct transfer *transfer, struct space *space,
		  const struct transfer_part *parts, size_t count);

/*
 * Puts @size bytes into the buffers. Returns how many it has put: fewer if the program
 * may not write to the next buffer, or if the buffers end.
 */
size_t transfer_put(struct transfer *transfer, const void *bytes, size_t size);

/*
 * The next bytes of the buffers that are in one place, at most @max, and how many they
 * are; they do not change before the vm runs. NULL: none is left, or the program may
 * not read the next buffer.
 */
const void *transfer_take(struct transfer *transfer, size_t max,
			  size_t *ret_size);

/* Passes over @size bytes. */
void transfer_skip(struct transfer *transfer, size_t size);

/* The result of a call that has transferred @done of @wanted bytes: -EFAULT or @done. */
int64_t transfer_result(size_t done, size_t wanted);

#endif
