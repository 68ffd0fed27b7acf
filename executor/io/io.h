/*
 * io.h - one thread's connections, listeners, and messages from other threads.
 *
 *	io_create(IO_AUTO, &err, &io);		on the thread that will use it
 *	io_listener_open(io, &listener, fd);
 *	while (!stop)
 *		io_wait(io, until_ns);		callbacks run in here
 *	io_free(io);
 *
 * Two implementations behind it: io_uring (multishot accept, receive into provided
 * buffers, sends submitted in batches), and epoll where io_uring is
 * forbidden. They behave alike and pass the same tests.
 *
 * All of it belongs to the thread that called io_create(), but for io_post().
 * The structs are the caller's, embedded in its own; only the callbacks are for
 * the caller to set, the rest must be zero. Callbacks run only inside
 * io_wait() and may call anything here but io_wait() and io_free().
 */
#ifndef EXECUTOR_IO_IO_H
#define EXECUTOR_IO_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/buffer.h"
#include "base/error.h"

struct io;

enum io_backend {
	IO_AUTO, /* io_uring, or epoll where that cannot be had */
	IO_URING,
	IO_EPOLL,
};

/* Bytes that are received at a time, at most, and kept of a paused stream. */
#define IO_RECEIVE_MAX (16 * 1024)

/* Bytes that are received into a stream's room before it is another's turn. */
#define IO_FILL_MAX (256 * 1024)

/* Bytes of a stream that are sent before it is another's turn. */
#define IO_SEND_MAX (64 * 1024)

/* How long a listener rests after accept failed, e.g. for want of fds. */
#define IO_ACCEPT_RETRY_NS (50 * UINT64_C(1000000))

/* Pieces of one io_stream_send(). */
#define IO_SEND_PIECES_MAX 4

/* A connected stream socket. */
struct io_stream {
	/*
	 * @size bytes, at least 1, have come, valid during the call. Returns
	 * how many were taken. If those are not all, the stream is paused: the
	 * rest is kept, and nothing more is received, until io_stream_resume().
	 */
	size_t (*received)(struct io_stream *stream, const void *data,
			   size_t size);
	/*
	 * Where the next bytes are to go, so that they need not be copied: sets
	 * *@ret_to, and returns for how many there is room, at least 1; or 0:
	 * they go to received(). @waiting bytes are there, as far as is known.
	 * filled() tells of @size bytes that have come there. It is asked again
	 * before each receive, and the room is used within the same io_wait(),
	 * so it may go away meanwhile. NULL: no room.
	 */
	size_t (*room)(struct io_stream *stream, size_t waiting, void **ret_to);
	void (*filled)(struct io_stream *stream, size_t size);
	/*
	 * The other end will send nothing more (@error 0), or the connection
	 * failed (-errno; -ENOBUFS: the kernel had no memory for it). Comes once,
	 * after all bytes were taken, unless the stream was closed before. Sending
	 * may still work after 0.
	 */
	void (*ended)(struct io_stream *stream, int error);
	/* What was to be sent has been sent (0), or never will be (-errno). */
	void (*sent)(struct io_stream *stream, int error);
	/* io_stream_close() is over; @stream may be freed. */
	void (*closed)(struct io_stream *stream);

	/* Pays for what is kept, IO_RECEIVE_MAX at most; NULL: nobody. */
	struct budget_account *account;

	int fd;
	struct io *io;
	struct {
		struct iovec pieces[IO_SEND_PIECES_MAX];
		unsigned first, count; /* pieces not sent yet */
		struct iovec part;     /* of one of more than IO_SEND_MAX */
		struct msghdr message; /* what is sent of them now */
		struct buffer kept;    /* received but not taken */
		size_t kept_from;      /* what is before was taken since */
		struct io_stream *next, **link; /* among the io's */
		struct io_stream *next_ready, *next_send;
		unsigned pending; /* operations the backend has */
		uint32_t events;  /* that epoll watches */
		int end;	  /* to be reported; 1: none */
		int send_error;	  /* to be reported if sent_due */
		bool paused, closing, receiving, sending;
		bool polling; /* io_uring: for bytes that there is room for */
		bool more;    /* io_uring: not all that had come was received */
		bool ready, ended, sent_due;
		bool delivering, resumed; /* in received(), meanwhile */
	} internal;
};

/*
 * Takes @fd, a connected non-blocking stream socket, and begins to receive.
 * Errors are reported by ended().
 */
void io_stream_open(struct io *io, struct io_stream *stream, int fd);

/*
 * Sends @count pieces, all of them, however long it takes. The bytes are borrowed
 * until sent(), which comes in io_wait(), also if there are none. One call at a time.
 */
void io_stream_send(struct io_stream *stream, const struct iovec *pieces,
		    unsigned count);

/*
 * Sends at once what the kernel takes of @count pieces, without waiting, and returns
 * how many bytes that is; perhaps 0. So they are borrowed for the call only. There is
 * no callback: io_stream_send() is for the rest, and tells what is wrong, if anything.
 * While nothing else is being sent.
 */
size_t io_stream_send_some(struct io_stream *stream, const struct iovec *pieces,
			   unsigned count);

/*
 * Receives again; what was kept is handed over first, in the next io_wait().
 * Called inside received(), it is for the bytes that received() leaves.
 */
void io_stream_resume(struct io_stream *stream);

/*
 * Closes the connection, whatever is under way; closed() is the only callback
 * still to come. What was being sent is borrowed until then.
 */
void io_stream_close(struct io_stream *stream);

/* A listening socket; has to stay until io_free(). */
struct io_listener {
	/* A connection: @fd, non-blocking, is the callee's. */
	void (*accepted)(struct io_listener *listener, int fd);
	/* accept failed with -errno; it is tried again by itself. */
	void (*failed)(struct io_listener *listener, int error);

	int fd;
	struct io *io;
	struct {
		struct io_listener *next;
		uint64_t retry_ns; /* 0: not resting */
		bool accepting, closing;
	} internal;
};

/* Accepts connections of @fd, which is borrowed until io_free(). */
void io_listener_open(struct io *io, struct io_listener *listener, int fd);

/*
 * Accepts no more. What the kernel has accepted by then still comes. The socket
 * stays open, and its backlog too.
 */
void io_listener_close(struct io_listener *listener);

/* Any other file, such as a signalfd; has to stay until io_free(). */
struct io_poll {
	/* It can be read; called again while that is so. */
	void (*ready)(struct io_poll *poll);

	int fd;
	struct io *io;
	struct {
		struct io_poll *next;
	} internal;
};

/*
 * Watches @fd, which is borrowed until io_free(). 0, or -errno: no memory, or too
 * many files are watched.
 */
int io_poll_open(struct io *io, struct io_poll *poll, int fd);

/* Something for another thread to do; the sender's until it is posted. */
struct io_message {
	void (*deliver)(struct io_message *message); /* on the receiver */
	struct io_message *next;
};

/*
 * Has @io's thread call message->deliver(), and wakes it if it sleeps. Any
 * thread; @from is its own io, or NULL if it has none. Messages of one thread
 * arrive in order. No allocation; a system call only if the other one sleeps.
 */
void io_post(struct io *io, struct io *from, struct io_message *message);

/* Creates the calling thread's io. -errno if @backend cannot be had here. */
int io_create(enum io_backend backend, struct error *err, struct io **ret_io);

/* Frees @io. Streams must be closed, messages delivered. NULL is fine. */
void io_free(struct io *io);

/* "io_uring" or "epoll"; and why not io_uring, or "". */
const char *io_name(const struct io *io);
const char *io_fallback(const struct io *io);

/* Hands what is to be sent to the kernel now, not with the next io_wait(). */
void io_flush(struct io *io);

/*
 * Runs callbacks: of what has happened, or, if that is nothing, waits for it
 * until @until_ns (CLOCK_MONOTONIC; 0: not at all, UINT64_MAX: for ever).
 * A signal ends the waiting. Returns the number of callbacks.
 */
unsigned io_wait(struct io *io, uint64_t until_ns);

/* Whether @io's thread waits in io_wait() now; any thread, a hint. */
bool io_sleeps(const struct io *io);

#endif
