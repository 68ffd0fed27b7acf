/*
 * io.c - what both backends of io.h share. See io_internal.h.
 *
 * A stream that needs something without an event of the kernel - kept bytes are to
 * be handed over, an end is to be reported, closing ends - is in the ready list, and
 * io_stream_settle() does that, in io_wait(). Only io_stream_settle() calls
 * closed(), so pointers to streams stay valid while events are handled.
 */
#include "base/hot.h"
#include "executor/io/io_internal.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

void *io_allocate(const struct io_operations *operations, size_t size)
{
	struct io *io;

	size = (size + IO_CACHE_LINE - 1) / IO_CACHE_LINE * IO_CACHE_LINE;
	io = aligned_alloc(IO_CACHE_LINE, size);
	if (!io)
		return NULL;
	memset(io, 0, size);
	io->operations = operations;
	io->ready_end = &io->ready;
	io->wake_fd = -1;
	return io;
}

int io_create(enum io_backend backend, struct error *err, struct io **ret_io)
{
	struct error why;
	int r;

	if (backend == IO_URING)
		return io_create_uring(err, ret_io);
	if (backend == IO_EPOLL)
		return io_create_epoll(err, ret_io);
	if (!io_create_uring(&why, ret_io))
		return 0;
	r = io_create_epoll(err, ret_io);
	if (!r)
		memcpy((*ret_io)->fallback, why.message, sizeof(why.message));
	return r;
}

void io_free(struct io *io)
{
	if (!io)
		return;
	assert(!io->streams);
	io->operations->free(io);
	if (io->wake_fd >= 0)
		close(io->wake_fd);
	free(io);
}

const char *io_name(const struct io *io)
{
	return io->operations->name;
}

const char *io_fallback(const struct io *io)
{
	return io->fallback;
}

bool io_sleeps(const struct io *io)
{
	return atomic_load_explicit(&io->sleeping, memory_order_relaxed);
}

HOT void io_flush(struct io *io)
{
	io->operations->flush(io);
}

/* ---- streams ---- */

static bool io_stream_has_kept(const struct io_stream *stream)
{
	return stream->internal.kept.size > stream->internal.kept_from;
}

HOT bool io_stream_wants(const struct io_stream *stream)
{
	return !stream->internal.closing && !stream->internal.paused &&
	       stream->internal.end == IO_END_NONE &&
	       !io_stream_has_kept(stream);
}

void io_stream_ready(struct io_stream *stream)
{
	struct io *io = stream->io;

	if (stream->internal.ready)
		return;
	stream->internal.ready = true;
	stream->internal.next_ready = NULL;
	*io->ready_end = stream;
	io->ready_end = &stream->internal.next_ready;
}

/*
 * Hands over bytes and returns how many are done with: if not all, the stream
 * is paused, or was resumed meanwhile and is ready.
 */
HOT static size_t io_stream_hand_over(struct io_stream *stream,
				      const void *data, size_t size)
{
	size_t taken;

	stream->internal.delivering = true;
	stream->internal.resumed = false;
	stream->io->callbacks++;
	taken = stream->received(stream, data, size);
	stream->internal.delivering = false;
	if (stream->internal.closing)
		return size;
	assert(taken <= size);
	if (taken == size)
		return size;
	if (stream->internal.resumed) {
		io_stream_ready(stream);
	} else {
		stream->internal.paused = true;
		stream->io->operations->pause(stream);
	}
	return taken;
}

static void io_stream_forget_kept(struct io_stream *stream)
{
	stream->internal.kept_from = 0;
	buffer_done(&stream->internal.kept);
}

static void io_stream_hand_over_kept(struct io_stream *stream)
{
	struct buffer *kept = &stream->internal.kept;
	size_t *from = &stream->internal.kept_from;

	*from += io_stream_hand_over(stream, kept->data + *from,
				     kept->size - *from);
	if (!io_stream_has_kept(stream))
		io_stream_forget_kept(stream);
}

/* Nothing is received while something is kept: so it is empty. */
static void io_stream_keep(struct io_stream *stream, const void *data,
			   size_t size)
{
	buffer_append(&stream->internal.kept, data, size);
	if (stream->internal.kept.failed)
		stream->internal.end = -ENOMEM;
}

HOT static void io_stream_report_end(struct io_stream *stream)
{
	if (stream->internal.end == IO_END_NONE || stream->internal.ended ||
	    stream->internal.closing || io_stream_has_kept(stream))
		return;
	stream->internal.ended = true;
	stream->io->callbacks++;
	stream->ended(stream, stream->internal.end);
}

HOT void io_stream_received(struct io_stream *stream, const void *data,
			    size_t size)
{
	size_t taken = 0;

	if (stream->internal.closing || stream->internal.end != IO_END_NONE)
		return;
	if (io_stream_wants(stream))
		taken = io_stream_hand_over(stream, data, size);
	if (taken < size)
		io_stream_keep(stream, (const char *)data + taken,
			       size - taken);
	io_stream_report_end(stream);
}

bool io_stream_has_room(struct io_stream *stream)
{
	void *to;

	return stream->room && stream->room(stream, 1, &to);
}

/* Receives @size bytes to @to, or fewer, and tells. Returns how many. */
static size_t io_stream_receive_to(struct io_stream *stream, void *to,
				   size_t size)
{
	ssize_t have = recv(stream->fd, to, size, MSG_DONTWAIT);

	if (have > 0) {
		stream->io->callbacks++;
		stream->filled(stream, (size_t)have);
		return (size_t)have;
	}
	if (!have)
		io_stream_ended(stream, 0);
	else if (errno != EAGAIN && errno != EINTR)
		io_stream_ended(stream, -errno);
	return 0;
}

/* The bytes that have come and were not received; 1 if that is not known. */
static size_t io_stream_waiting(const struct io_stream *stream)
{
	int size = 0;

	return !ioctl(stream->fd, FIONREAD, &size) && size > 0 ? (size_t)size :
								 1;
}

bool io_stream_fill(struct io_stream *stream)
{
	size_t left = IO_FILL_MAX, room, waiting = io_stream_waiting(stream);
	void *to;

	while (left && io_stream_wants(stream) &&
	       (room = stream->room(stream, waiting, &to))) {
		if (room > left)
			room = left;
		if (io_stream_receive_to(stream, to, room) < room)
			return false;
		left -= room;
		waiting = waiting > room ? waiting - room : 1;
	}
	return true;
}

void io_stream_ended(struct io_stream *stream, int error)
{
	if (stream->internal.end == IO_END_NONE)
		stream->internal.end = error;
	io_stream_report_end(stream);
}

HOT void io_stream_sent(struct io_stream *stream, int error)
{
	stream->internal.sending = false;
	if (stream->internal.closing)
		return;
	stream->io->callbacks++;
	stream->sent(stream, error);
}

static void io_stream_finish_close(struct io_stream *stream)
{
	struct io *io = stream->io;

	close(stream->fd);
	stream->fd = -1;
	buffer_done(&stream->internal.kept);
	*stream->internal.link = stream->internal.next;
	if (stream->internal.next)
		stream->internal.next->internal.link = stream->internal.link;
	io->callbacks++;
	stream->closed(stream);
}

static void io_stream_settle(struct io_stream *stream)
{
	if (stream->internal.sent_due) {
		stream->internal.sent_due = false;
		io_stream_sent(stream, stream->internal.send_error);
	}
	if (!stream->internal.closing && !stream->internal.paused &&
	    io_stream_has_kept(stream))
		io_stream_hand_over_kept(stream);
	io_stream_report_end(stream);
	if (io_stream_wants(stream) && !stream->internal.receiving)
		stream->io->operations->receive(stream);
	/* not if a callback has just put it into the list again */
	if (stream->internal.closing && !stream->internal.ready &&
	    !stream->internal.pending)
		io_stream_finish_close(stream);
}

void io_stream_open(struct io *io, struct io_stream *stream, int fd)
{
	const int yes = 1;

	stream->fd = fd;
	stream->io = io;
	stream->internal.end = IO_END_NONE;
	stream->internal.kept.max = IO_RECEIVE_MAX;
	stream->internal.kept.account = stream->account;
	/* it has come; and what runs is to have its reply */
	stream->internal.kept.may_exceed = true;
	stream->internal.next = io->streams;
	stream->internal.link = &io->streams;
	if (io->streams)
		io->streams->internal.link = &stream->internal.next;
	io->streams = stream;
	/* replies are sent whole: waiting for more gains nothing */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	io->operations->receive(stream);
}

HOT bool io_stream_advance(struct io_stream *stream, size_t size)
{
	struct iovec *piece = stream->internal.pieces + stream->internal.first;

	while (stream->internal.first < stream->internal.count &&
	       size >= piece->iov_len) {
		size -= piece++->iov_len;
		stream->internal.first++;
	}
	if (stream->internal.first == stream->internal.count)
		return true;
	piece->iov_base = (char *)piece->iov_base + size;
	piece->iov_len -= size;
	return false;
}

HOT const struct msghdr *io_stream_message(struct io_stream *stream)
{
	struct iovec *pieces = stream->internal.pieces + stream->internal.first;
	const unsigned count = stream->internal.count - stream->internal.first;
	size_t size = pieces->iov_len;
	unsigned taken = 1;

	while (taken < count && size + pieces[taken].iov_len <= IO_SEND_MAX)
		size += pieces[taken++].iov_len;
	if (size > IO_SEND_MAX) {
		stream->internal.part = (struct iovec){
			.iov_base = pieces->iov_base,
			.iov_len = IO_SEND_MAX,
		};
		pieces = &stream->internal.part;
	}
	stream->internal.message = (struct msghdr){
		.msg_iov = pieces,
		.msg_iovlen = taken,
	};
	return &stream->internal.message;
}

HOT void io_stream_send(struct io_stream *stream, const struct iovec *pieces,
			unsigned count)
{
	assert(!stream->internal.sending && !stream->internal.closing);
	assert(count && count <= IO_SEND_PIECES_MAX);
	memcpy(stream->internal.pieces, pieces, count * sizeof(*pieces));
	stream->internal.first = 0;
	stream->internal.count = count;
	stream->internal.sending = true;
	if (!io_stream_advance(stream, 0)) {
		stream->io->operations->send(stream);
		return;
	}
	stream->internal.send_error = 0;
	stream->internal.sent_due = true;
	io_stream_ready(stream);
}

size_t io_stream_send_some(struct io_stream *stream, const struct iovec *pieces,
			   unsigned count)
{
	const struct msghdr message = {
		.msg_iov = (struct iovec *)(uintptr_t)pieces,
		.msg_iovlen = count,
	};
	ssize_t size;

	assert(!stream->internal.sending && !stream->internal.closing);
	size = sendmsg(stream->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	return size > 0 ? (size_t)size : 0;
}

HOT void io_stream_resume(struct io_stream *stream)
{
	stream->internal.resumed = true;
	if (!stream->internal.paused || stream->internal.closing)
		return;
	stream->internal.paused = false;
	io_stream_ready(stream);
}

void io_stream_close(struct io_stream *stream)
{
	if (stream->internal.closing)
		return;
	stream->internal.closing = true;
	stream->io->operations->close(stream);
	if (!stream->internal.pending)
		io_stream_ready(stream);
}

/* ---- listeners and other files ---- */

static void io_listener_rest(struct io_listener *listener)
{
	listener->internal.retry_ns = clock_now_ns() + IO_ACCEPT_RETRY_NS;
	listener->io->resting++;
}

static void io_listener_rest_no_more(struct io_listener *listener)
{
	listener->internal.retry_ns = 0;
	listener->io->resting--;
}

void io_listener_open(struct io *io, struct io_listener *listener, int fd)
{
	listener->fd = fd;
	listener->io = io;
	listener->internal.next = io->listeners;
	io->listeners = listener;
	/* said by failed() if it fails again, in io_wait() */
	if (io->operations->accept(listener) < 0)
		io_listener_rest(listener);
}

void io_listener_close(struct io_listener *listener)
{
	if (listener->internal.closing)
		return;
	listener->internal.closing = true;
	if (listener->internal.retry_ns)
		io_listener_rest_no_more(listener);
	listener->io->operations->refuse(listener);
}

void io_listener_accepted(struct io_listener *listener, int fd)
{
	listener->io->callbacks++;
	listener->accepted(listener, fd);
}

void io_listener_failed(struct io_listener *listener, int error)
{
	if (listener->internal.closing)
		return;
	io_listener_rest(listener);
	listener->io->callbacks++;
	listener->failed(listener, error);
}

static void io_retry_listeners(struct io *io)
{
	struct io_listener *listener = io->resting ? io->listeners : NULL;
	uint64_t now = listener ? clock_now_ns() : 0;
	int r;

	for (; listener; listener = listener->internal.next) {
		if (!listener->internal.retry_ns ||
		    listener->internal.retry_ns > now)
			continue;
		io_listener_rest_no_more(listener);
		r = io->operations->accept(listener);
		if (r < 0)
			io_listener_failed(listener, r);
	}
}

static uint64_t io_next_retry(const struct io *io, uint64_t until_ns)
{
	struct io_listener *listener = io->resting ? io->listeners : NULL;

	for (; listener; listener = listener->internal.next)
		if (listener->internal.retry_ns &&
		    listener->internal.retry_ns < until_ns)
			until_ns = listener->internal.retry_ns;
	return until_ns;
}

int io_poll_open(struct io *io, struct io_poll *poll, int fd)
{
	int r;

	poll->fd = fd;
	poll->io = io;
	r = io->operations->poll(poll);
	if (r)
		return r;
	poll->internal.next = io->polls;
	io->polls = poll;
	return 0;
}

void io_poll_ready(struct io_poll *poll)
{
	poll->io->callbacks++;
	poll->ready(poll);
}

/* ---- beginning anew ---- */

static void io_stream_lose(struct io_stream *stream, int error)
{
	stream->internal.pending = 0;
	stream->internal.receiving = false;
	if (stream->internal.sending && !stream->internal.closing) {
		stream->internal.sent_due = true;
		stream->internal.send_error = error;
	}
	if (stream->internal.end == IO_END_NONE)
		stream->internal.end = error;
	io_stream_ready(stream);
}

static void io_listener_begin_anew(struct io_listener *listener)
{
	listener->internal.accepting = false;
	if (listener->internal.closing)
		/* io_wait() returns, so that its caller sees that this has ended */
		listener->io->callbacks++;
	else if (!listener->internal.retry_ns &&
		 listener->io->operations->accept(listener) < 0)
		io_listener_rest(listener);
}

void io_begin_anew(struct io *io, int error)
{
	for (struct io_stream *stream = io->streams; stream;
	     stream = stream->internal.next)
		io_stream_lose(stream, error);
	for (struct io_listener *listener = io->listeners; listener;
	     listener = listener->internal.next)
		io_listener_begin_anew(listener);
	for (struct io_poll *poll = io->polls; poll; poll = poll->internal.next)
		io->operations->poll(poll);
}

/* ---- messages ---- */

/*
 * The sender writes the inbox, then reads `sleeping`; the receiver writes
 * `sleeping`, then reads the inbox, in io_enter(). All of it is sequentially
 * consistent, so at least one of them sees what the other has written. The sender
 * that takes `sleeping` back wakes the receiver, so it is woken once.
 */
void io_post(struct io *io, struct io *from, struct io_message *message)
{
	struct io_message *head =
		atomic_load_explicit(&io->inbox, memory_order_relaxed);

	do
		message->next = head;
	while (!atomic_compare_exchange_weak(&io->inbox, &head, message));
	if (atomic_load(&io->sleeping) && atomic_exchange(&io->sleeping, false))
		io->operations->wake(io, from);
}

HOT static void io_run_inbox(struct io *io)
{
	struct io_message *message, *next, *first = NULL;

	if (!atomic_load_explicit(&io->inbox, memory_order_relaxed))
		return;
	/* pairs with the exchange in io_post() */
	message = atomic_exchange_explicit(&io->inbox, NULL,
					   memory_order_acquire);
	for (; message; message = next) {
		next = message->next;
		message->next = first;
		first = message;
	}
	for (message = first; message; message = next) {
		next = message->next;
		io->callbacks++;
		message->deliver(message);
	}
}

/* ---- the loop ---- */

/* A stream that becomes ready meanwhile has its turn in the next io_wait(). */
static void io_run_ready(struct io *io)
{
	struct io_stream *stream = io->ready, *next;

	io->ready = NULL;
	io->ready_end = &io->ready;
	for (; stream; stream = next) {
		next = stream->internal.next_ready;
		stream->internal.ready = false;
		io_stream_settle(stream);
	}
}

static int io_enter(struct io *io, uint64_t until_ns)
{
	int r;

	if (!until_ns)
		return io->operations->enter(io, 0);
	until_ns = io_next_retry(io, until_ns);
	/* not a store: QEMU's arm64 lets a load pass that, on an x86_64 host */
	atomic_exchange(&io->sleeping, true);
	if (atomic_load(&io->inbox))
		until_ns = 0;
	r = io->operations->enter(io, until_ns);
	/* a wake-up that comes too late does no harm */
	atomic_store_explicit(&io->sleeping, false, memory_order_relaxed);
	return r;
}

static bool io_wait_is_over(uint64_t until_ns)
{
	return !until_ns ||
	       (until_ns != UINT64_MAX && clock_now_ns() >= until_ns);
}

HOT unsigned io_wait(struct io *io, uint64_t until_ns)
{
	int r;

	io->callbacks = 0;
	do {
		io_run_ready(io);
		io_run_inbox(io);
		io_retry_listeners(io);
		r = io_enter(io, io->callbacks || io->ready ? 0 : until_ns);
		io->operations->handle(io);
		io_run_ready(io);
		io_run_inbox(io);
	} while (!io->callbacks && r != -EINTR && !io_wait_is_over(until_ns));
	return io->callbacks;
}
