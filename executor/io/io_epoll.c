/*
 * io_epoll.c - the io of io.h on epoll, where there is no io_uring. See
 * io_internal.h.
 *
 * Level-triggered. What is watched of a stream is in internal.events; EPOLLOUT
 * is only while a send waits for room, and EPOLLIN goes when an event comes
 * that is not wanted, so that pausing and resuming at once costs nothing. A
 * stream of which nothing is wanted is not in the epoll set at all: EPOLLHUP
 * cannot be masked.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/io/io_internal.h"

#define EVENTS_MAX 128

/* In one go: neighbours wait meanwhile. */
#define RECEIVES_MAX 4
#define ACCEPTS_MAX 64

enum tag {
	TAG_STREAM,
	TAG_LISTENER,
	TAG_POLL,
	TAG_WAKE,
	TAG_MASK = 3,
};

struct epoll {
	struct io io;
	int fd;
	bool no_pwait2;
	struct io_stream *sends, **sends_end; /* begun since the last flush */
	int count;			      /* of events */
	struct epoll_event events[EVENTS_MAX];
	char bytes[IO_RECEIVE_MAX];
};

static struct epoll *epoll_of(struct io *io)
{
	return (struct epoll *)io;
}

static int epoll_control(struct io *io, int operation, int fd, uint32_t events,
			 uint64_t tagged)
{
	struct epoll_event event = { .events = events, .data.u64 = tagged };

	return epoll_ctl(epoll_of(io)->fd, operation, fd, &event) ? -errno : 0;
}

/* ---- streams ---- */

static int epoll_watch(struct io_stream *stream, uint32_t events)
{
	uint32_t before = stream->internal.events;
	int operation, r;

	if (events == before)
		return 0;
	if (!before)
		operation = EPOLL_CTL_ADD;
	else
		operation = events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
	r = epoll_control(stream->io, operation, stream->fd, events,
			  (uintptr_t)stream | TAG_STREAM);
	if (!r)
		stream->internal.events = events;
	return r;
}

static void epoll_receive(struct io_stream *stream)
{
	int r = epoll_watch(stream, stream->internal.events | EPOLLIN);

	stream->internal.receiving = true;
	if (r < 0) {
		/* no callback here: reported by the next io_wait() */
		stream->internal.end = r;
		io_stream_ready(stream);
	}
}

static void epoll_pause(struct io_stream *stream)
{
	stream->internal.receiving = false;
}

static void epoll_unwatch(struct io_stream *stream)
{
	stream->internal.receiving = false;
	epoll_watch(stream, stream->internal.events & ~EPOLLIN);
}

static void epoll_receive_some(struct io_stream *stream)
{
	char *bytes = epoll_of(stream->io)->bytes;
	ssize_t size = IO_RECEIVE_MAX;

	if (io_stream_has_room(stream)) {
		io_stream_fill(stream);
		return;
	}
	for (unsigned i = 0; i < RECEIVES_MAX && size == IO_RECEIVE_MAX &&
			     io_stream_wants(stream);
	     i++) {
		size = recv(stream->fd, bytes, IO_RECEIVE_MAX, MSG_DONTWAIT);
		if (size > 0)
			io_stream_received(stream, bytes, size);
		else if (!size)
			io_stream_ended(stream, 0);
		else if (errno != EAGAIN && errno != EINTR)
			io_stream_ended(stream, -errno);
	}
}

static void epoll_send_over(struct io_stream *stream, int error)
{
	epoll_watch(stream, stream->internal.events & ~EPOLLOUT);
	stream->internal.send_error = error;
	stream->internal.sent_due = true;
	io_stream_ready(stream);
}

/* 0: all was sent; -EAGAIN: there is no room just now, or others come first. */
static int epoll_send_pieces(struct io_stream *stream)
{
	ssize_t size = sendmsg(stream->fd, io_stream_message(stream),
			       MSG_NOSIGNAL | MSG_DONTWAIT);

	if (size < 0 && errno != EINTR)
		return -errno;
	return io_stream_advance(stream, size > 0 ? size : 0) ? 0 : -EAGAIN;
}

static void epoll_send_some(struct io_stream *stream)
{
	int r = epoll_send_pieces(stream);

	if (r == -EAGAIN) {
		r = epoll_watch(stream, stream->internal.events | EPOLLOUT);
		if (!r)
			return;
	}
	epoll_send_over(stream, r);
}

static void epoll_send(struct io_stream *stream)
{
	struct epoll *epoll = epoll_of(stream->io);

	stream->internal.pending++;
	stream->internal.next_send = NULL;
	*epoll->sends_end = stream;
	epoll->sends_end = &stream->internal.next_send;
}

static void epoll_flush(struct io *io)
{
	struct epoll *epoll = epoll_of(io);
	struct io_stream *stream = epoll->sends, *next;

	epoll->sends = NULL;
	epoll->sends_end = &epoll->sends;
	for (; stream; stream = next) {
		next = stream->internal.next_send;
		stream->internal.pending--;
		if (stream->internal.closing)
			io_stream_ready(stream);
		else
			epoll_send_some(stream);
	}
}

/* Not left to close(): a child that is just being started has the file too. */
static void epoll_close(struct io_stream *stream)
{
	epoll_watch(stream, 0);
}

static void epoll_handle_stream(struct io_stream *stream, uint32_t events)
{
	bool wanted = io_stream_wants(stream);

	/* closed by what an event before it has called */
	if (stream->internal.closing)
		return;
	if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) &&
	    (stream->internal.events & EPOLLOUT))
		epoll_send_some(stream);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		epoll_receive_some(stream);
		if (!stream->internal.closing &&
		    (!wanted || stream->internal.end != IO_END_NONE))
			epoll_unwatch(stream);
	}
}

/* ---- listeners and other files ---- */

static int epoll_accept(struct io_listener *listener)
{
	int flags = fcntl(listener->fd, F_GETFL);
	int r;

	/* somebody else may have accepted it when we come to it */
	if (flags < 0 || fcntl(listener->fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	r = epoll_control(listener->io, EPOLL_CTL_ADD, listener->fd,
			  EPOLLIN | EPOLLEXCLUSIVE,
			  (uintptr_t)listener | TAG_LISTENER);
	listener->internal.accepting = !r;
	return r;
}

static void epoll_refuse(struct io_listener *listener)
{
	if (listener->internal.accepting)
		epoll_control(listener->io, EPOLL_CTL_DEL, listener->fd, 0, 0);
	listener->internal.accepting = false;
}

static void epoll_handle_listener(struct io_listener *listener)
{
	for (unsigned i = 0; i < ACCEPTS_MAX && listener->internal.accepting;
	     i++) {
		int fd = accept4(listener->fd, NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			io_listener_accepted(listener, fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR) {
			int error = -errno;

			epoll_refuse(listener);
			io_listener_failed(listener, error);
		}
	}
}

static int epoll_poll(struct io_poll *poll)
{
	return epoll_control(poll->io, EPOLL_CTL_ADD, poll->fd, EPOLLIN,
			     (uintptr_t)poll | TAG_POLL);
}

/* ---- the loop ---- */

static void epoll_wake(struct io *io, struct io *from)
{
	(void)from;
	eventfd_write(io->wake_fd, 1);
}

/* epoll_wait() can do milliseconds alone: rather late than in vain. */
static int epoll_wait_events(struct epoll *epoll, uint64_t left_ns)
{
	const struct timespec timeout = {
		.tv_sec = left_ns / NS_PER_S,
		.tv_nsec = left_ns % NS_PER_S,
	};
	uint64_t ms = left_ns / NS_PER_MS + (left_ns % NS_PER_MS != 0);
	int count;

	epoll->io.enters++;
	if (left_ns && !epoll->no_pwait2) {
		count = epoll_pwait2(epoll->fd, epoll->events, EVENTS_MAX,
				     &timeout, NULL);
		if (count >= 0 || (errno != ENOSYS && errno != EPERM))
			return count;
		epoll->no_pwait2 = true;
	}
	return epoll_wait(epoll->fd, epoll->events, EVENTS_MAX,
			  ms < INT32_MAX ? (int)ms : INT32_MAX);
}

static int epoll_enter(struct io *io, uint64_t until_ns)
{
	struct epoll *epoll = epoll_of(io);
	uint64_t now;

	epoll_flush(io);
	/* something was sent: that is to be said before anything else */
	if (io->ready)
		until_ns = 0;
	now = until_ns ? clock_now_ns() : 0;
	epoll->count =
		epoll_wait_events(epoll, until_ns > now ? until_ns - now : 0);
	return epoll->count < 0 && errno == EINTR ? -EINTR : 0;
}

static void epoll_handle(struct io *io)
{
	struct epoll *epoll = epoll_of(io);
	uint64_t wakes;

	for (int i = 0; i < epoll->count; i++) {
		uint64_t tagged = epoll->events[i].data.u64;
		void *pointer =
			(void *)(uintptr_t)(tagged & ~(uint64_t)TAG_MASK);

		switch ((enum tag)(tagged & TAG_MASK)) {
		case TAG_STREAM:
			epoll_handle_stream(pointer, epoll->events[i].events);
			break;
		case TAG_LISTENER:
			epoll_handle_listener(pointer);
			break;
		case TAG_POLL:
			io_poll_ready(pointer);
			break;
		default:
			eventfd_read(io->wake_fd, &wakes);
			break;
		}
	}
}

static void epoll_free(struct io *io)
{
	if (epoll_of(io)->fd >= 0)
		close(epoll_of(io)->fd);
}

static const struct io_operations operations = {
	.name = "epoll",
	.receive = epoll_receive,
	.pause = epoll_pause,
	.send = epoll_send,
	.close = epoll_close,
	.accept = epoll_accept,
	.refuse = epoll_refuse,
	.poll = epoll_poll,
	.wake = epoll_wake,
	.flush = epoll_flush,
	.enter = epoll_enter,
	.handle = epoll_handle,
	.free = epoll_free,
};

static int epoll_open_files(struct epoll *epoll)
{
	struct io *io = &epoll->io;

	epoll->fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll->fd < 0)
		return -errno;
	io->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (io->wake_fd < 0)
		return -errno;
	return epoll_control(io, EPOLL_CTL_ADD, io->wake_fd, EPOLLIN, TAG_WAKE);
}

int io_create_epoll(struct error *err, struct io **ret_io)
{
	struct epoll *epoll = io_allocate(&operations, sizeof(*epoll));
	int r;

	if (!epoll)
		return error_set(err, -ENOMEM, "no memory for an epoll");
	epoll->sends_end = &epoll->sends;
	r = epoll_open_files(epoll);
	if (r < 0) {
		io_free(&epoll->io);
		return error_set(err, r, "cannot set up an epoll: %s",
				 strerror(-r));
	}
	*ret_io = &epoll->io;
	return 0;
}
