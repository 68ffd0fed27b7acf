/*
 * io_uring_internal.h - a ring and its buffers, between io_uring.c, which uses it,
 * and io_uring_create.c, which sets it up. All of it on the io's own thread.
 */
#ifndef EXECUTOR_IO_IO_URING_INTERNAL_H
#define EXECUTOR_IO_IO_URING_INTERNAL_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

#include "executor/io/io_internal.h"

#define URING_BUFFER_GROUP 0

/* What a completion is about, in the bits of user_data that alignment leaves. */
enum uring_tag {
	TAG_NONE, /* nobody cares */
	TAG_RECEIVE,
	TAG_SEND,
	TAG_ACCEPT,
	TAG_POLL,
	TAG_WAKE,      /* the eventfd was written to */
	TAG_RING_FAIL, /* another ring could not be woken */
	TAG_PROBE,
	TAG_MASK = 7,
};

struct uring {
	struct io io;
	struct io_uring ring;
	bool has_ring;
	bool has_lost; /* completions: see uring_recover() */
	struct io_uring_buf_ring *buffers;
	char *memory;	   /* of the buffers */
	unsigned provided; /* of the buffers */
	uint64_t wakes;	   /* read from the eventfd */
};

extern const struct io_operations uring_operations;

/* Registers the ring of buffers, with none in it. 0 or -errno. */
int uring_register_buffers(struct uring *uring);

/* Gives buffers to the kernel: @count of them from @first on. */
void uring_provide(struct uring *uring, unsigned first, unsigned count);

/*
 * Prepares a receive into a buffer of the ring. @now: there are bytes; otherwise
 * the kernel does not look for some before it waits.
 */
void uring_prepare_receive(struct uring *uring, int fd, bool now,
			   uint64_t user_data);

/* Waits for the eventfd. */
void uring_read_wakes(struct uring *uring);

#endif
