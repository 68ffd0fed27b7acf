/*
 * io_internal.h - between io.c and its two backends, io_uring.c and io_epoll.c.
 *
 * io.c has what they share: bytes that were not taken, what is to be reported
 * in the next io_wait(), messages, and listeners that rest. A backend moves the
 * bytes and tells io.c what has come of it.
 */
#ifndef EXECUTOR_IO_IO_INTERNAL_H
#define EXECUTOR_IO_IO_INTERNAL_H

#include <stdatomic.h>

#include "executor/io/io.h"

/* Receive buffers of a ring. */
#define IO_BUFFERS_MAX 256

/* What io_stream.internal.end is while nothing is to be reported. */
#define IO_END_NONE 1

#define IO_CACHE_LINE 64

/* A backend. All of it runs on the io's own thread, but for wake(). */
struct io_operations {
	const char *name;
	/* Sets internal.receiving; bytes go to io_stream_received(). */
	void (*receive)(struct io_stream *stream);
	/* Receives no more. What is already under way may still come. */
	void (*pause)(struct io_stream *stream);
	/* Ends in io_stream_sent(), or in internal.sent_due. */
	void (*send)(struct io_stream *stream);
	/* Has internal.pending become 0, soon; then io_stream_ready(). */
	void (*close)(struct io_stream *stream);
	int (*accept)(struct io_listener *listener);
	void (*refuse)(struct io_listener *listener);
	int (*poll)(struct io_poll *poll);
	void (*wake)(struct io *io, struct io *from);
	void (*flush)(struct io *io);
	/* Submits, and waits for events until @until_ns. 0 or -EINTR. */
	int (*enter)(struct io *io, uint64_t until_ns);
	/* Handles the events there are. */
	void (*handle)(struct io *io);
	void (*free)(struct io *io);
};

/* The first member of what a backend allocates. */
struct io {
	const struct io_operations *operations;
	struct io_stream *ready, **ready_end; /* in order */
	struct io_stream *streams;	      /* not closed yet */
	struct io_listener *listeners;
	struct io_poll *polls;
	unsigned resting;   /* listeners of them */
	unsigned callbacks; /* run by this io_wait() */
	uint64_t enters;    /* system calls that submit or wait, for tests */
	char fallback[ERROR_MESSAGE_MAX];

	/* What other threads use, too: the newest message is first. */
	_Alignas(IO_CACHE_LINE) _Atomic(struct io_message *) inbox;
	atomic_bool sleeping;
	int wake_fd; /* eventfd */
};

int io_create_uring(struct error *err, struct io **ret_io);
int io_create_epoll(struct error *err, struct io **ret_io);

/* Zeroed memory of @size bytes that begins with @io, or NULL. */
void *io_allocate(const struct io_operations *operations, size_t size);

/* Has the next io_wait() see what @stream needs. */
void io_stream_ready(struct io_stream *stream);

/* Whether bytes would be welcome. */
bool io_stream_wants(const struct io_stream *stream);

/* Whether the next bytes have room of their own. */
bool io_stream_has_room(struct io_stream *stream);

/*
 * Receives what is there into the stream's room, up to IO_FILL_MAX bytes. Returns
 * whether there may be more.
 */
bool io_stream_fill(struct io_stream *stream);

/* Bytes have come, the other end is done or gone, all or nothing was sent. */
void io_stream_received(struct io_stream *stream, const void *data,
			size_t size);
void io_stream_ended(struct io_stream *stream, int error);
void io_stream_sent(struct io_stream *stream, int error);

/* @size bytes of the pieces have been sent; true: those were the last. */
bool io_stream_advance(struct io_stream *stream, size_t size);

/* What is to be sent next of the pieces: IO_SEND_MAX bytes at most. */
const struct msghdr *io_stream_message(struct io_stream *stream);

/* What accept gave; a failure has @listener rest. */
void io_listener_accepted(struct io_listener *listener, int fd);
void io_listener_failed(struct io_listener *listener, int error);

void io_poll_ready(struct io_poll *poll);

/*
 * Nothing that a backend was told to do is under way any more: all streams end with
 * @error, and listeners and other files are begun with again.
 */
void io_begin_anew(struct io *io, int error);

#endif
