/*
 * io_uring.c - the io of io.h on io_uring. See io_internal.h.
 *
 * One multishot accept per listener. One receive per stream, which takes its
 * buffer from a ring of them when there are bytes. It is not a multishot one: that
 * would go on though the stream is paused, and let a client fill memory. Where a
 * stream has room of its own, the ring only tells when there are bytes: so the kernel
 * never holds memory that a stream may free. user_data is
 * a pointer to what a completion is about, and an enum uring_tag. Operations of a
 * stream are counted in internal.pending: the kernel may use its memory until each
 * has had its last completion.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hot.h"
#include "executor/io/io_uring_internal.h"

static struct uring *uring_of(struct io *io)
{
	return (struct uring *)io;
}

static uint64_t uring_tagged(const void *pointer, enum uring_tag tag)
{
	return (uintptr_t)pointer | tag;
}

/* ---- submission ---- */

/*
 * Goes on after what passes, a signal or want of memory. If memory was so short that
 * the kernel has lost completions, -EBADR, the ring is to recover. Anything else is
 * a bug of ours, such as a ring that is used by the wrong thread.
 */
HOT static void uring_check(struct uring *uring, int r)
{
	if (r == -EBADR)
		uring->has_lost = true;
	else if (r < 0 && r != -EINTR && r != -EAGAIN && r != -EBUSY &&
		 r != -ENOMEM && r != -ETIME)
		abort();
}

static void uring_submit(struct uring *uring)
{
	if (!io_uring_sq_ready(&uring->ring))
		return;
	uring->io.enters++;
	uring_check(uring, io_uring_submit(&uring->ring));
}

HOT static struct io_uring_sqe *uring_get_sqe(struct uring *uring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

	while (!sqe) {
		uring_submit(uring);
		sqe = io_uring_get_sqe(&uring->ring);
		if (!sqe)
			sched_yield(); /* no memory just now */
	}
	return sqe;
}

HOT static void uring_flush(struct io *io)
{
	uring_submit(uring_of(io));
}

/* The operation that is cancelled has a completion of its own. */
static void uring_cancel(struct uring *uring, uint64_t user_data)
{
	struct io_uring_sqe *sqe = uring_get_sqe(uring);

	io_uring_prep_cancel64(sqe, user_data, 0);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	io_uring_sqe_set_data64(sqe, TAG_NONE);
}

/* ---- streams ---- */

HOT void uring_prepare_receive(struct uring *uring, int fd, bool now,
			       uint64_t user_data)
{
	struct io_uring_sqe *sqe = uring_get_sqe(uring);

	io_uring_prep_recv(sqe, fd, NULL, IO_RECEIVE_MAX, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	if (!now)
		sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
	sqe->buf_group = URING_BUFFER_GROUP;
	io_uring_sqe_set_data64(sqe, user_data);
}

/* Has a completion when there are bytes, or an end. */
static void uring_prepare_poll(struct io_stream *stream)
{
	struct io_uring_sqe *sqe = uring_get_sqe(uring_of(stream->io));

	io_uring_prep_poll_add(sqe, stream->fd, POLLIN);
	io_uring_sqe_set_data64(sqe, uring_tagged(stream, TAG_RECEIVE));
}

static void uring_receive(struct io_stream *stream)
{
	stream->internal.receiving = true;
	stream->internal.pending++;
	stream->internal.polling = io_stream_has_room(stream);
	if (stream->internal.polling)
		uring_prepare_poll(stream);
	else
		uring_prepare_receive(uring_of(stream->io), stream->fd,
				      stream->internal.more,
				      uring_tagged(stream, TAG_RECEIVE));
}

/* It is paused in received(), when no receive is under way. */
static void uring_pause(struct io_stream *stream)
{
	assert(!stream->internal.receiving);
}

HOT static void uring_send(struct io_stream *stream)
{
	const struct msghdr *message = io_stream_message(stream);
	const int flags = MSG_NOSIGNAL | MSG_WAITALL;
	struct io_uring_sqe *sqe = uring_get_sqe(uring_of(stream->io));

	if (message->msg_iovlen == 1)
		io_uring_prep_send(sqe, stream->fd, message->msg_iov->iov_base,
				   message->msg_iov->iov_len, flags);
	else
		io_uring_prep_sendmsg(sqe, stream->fd, message, flags);
	io_uring_sqe_set_data64(sqe, uring_tagged(stream, TAG_SEND));
	stream->internal.pending++;
}

static void uring_close(struct io_stream *stream)
{
	if (stream->internal.receiving)
		uring_cancel(uring_of(stream->io),
			     uring_tagged(stream, TAG_RECEIVE));
	if (stream->internal.sending)
		uring_cancel(uring_of(stream->io),
			     uring_tagged(stream, TAG_SEND));
}

/* An operation of @stream has had its last completion. */
static void uring_operation_over(struct io_stream *stream)
{
	stream->internal.pending--;
	if (stream->internal.closing && !stream->internal.pending)
		io_stream_ready(stream);
}

static char *uring_buffer_memory(struct uring *uring, unsigned index)
{
	return uring->memory + (size_t)index * IO_RECEIVE_MAX;
}

void uring_provide(struct uring *uring, unsigned first, unsigned count)
{
	int mask = io_uring_buf_ring_mask(IO_BUFFERS_MAX);

	for (unsigned i = 0; i < count; i++)
		io_uring_buf_ring_add(uring->buffers,
				      uring_buffer_memory(uring, first + i),
				      IO_RECEIVE_MAX, first + i, mask, i);
	io_uring_buf_ring_advance(uring->buffers, count);
}

int uring_register_buffers(struct uring *uring)
{
	struct io_uring_buf_reg registration = {
		.ring_addr = (uintptr_t)uring->buffers,
		.ring_entries = IO_BUFFERS_MAX,
		.bgid = URING_BUFFER_GROUP,
	};
	int r = io_uring_register_buf_ring(&uring->ring, &registration, 0);

	if (!r)
		io_uring_buf_ring_init(uring->buffers);
	return r;
}

static void uring_provide_more(struct uring *uring)
{
	unsigned count = uring->provided;

	if (count == IO_BUFFERS_MAX)
		return;
	uring_provide(uring, count, count);
	uring->provided += count;
}

static void uring_handle_bytes(struct uring *uring, struct io_stream *stream,
			       int res, unsigned flags)
{
	unsigned index = flags >> IORING_CQE_BUFFER_SHIFT;

	if (res > 0)
		io_stream_received(stream, uring_buffer_memory(uring, index),
				   res);
	if (flags & IORING_CQE_F_BUFFER)
		uring_provide(uring, index, 1);
}

static void uring_handle_receive(struct uring *uring, struct io_stream *stream,
				 int res, unsigned flags)
{
	bool has_bytes = stream->internal.polling && res > 0;

	stream->internal.receiving = false;
	if (has_bytes) {
		stream->internal.more = io_stream_fill(stream);
	} else {
		stream->internal.more = flags & IORING_CQE_F_SOCK_NONEMPTY;
		uring_handle_bytes(uring, stream, res, flags);
	}
	if (res == -ENOBUFS)
		uring_provide_more(uring);
	else if (res <= 0 && res != -ECANCELED && res != -EAGAIN &&
		 res != -EINTR)
		io_stream_ended(stream, res);
	/*
	 * All buffers are back when this is submitted, for the completions
	 * there are have been handled by then.
	 */
	if (io_stream_wants(stream) && !stream->internal.receiving)
		uring_receive(stream);
	uring_operation_over(stream);
}

static void uring_handle_send(struct io_stream *stream, int res)
{
	if (stream->internal.closing)
		stream->internal.sending = false;
	else if (res < 0 && res != -EAGAIN && res != -EINTR)
		io_stream_sent(stream, res);
	else if (io_stream_advance(stream, res > 0 ? res : 0))
		io_stream_sent(stream, 0);
	else
		uring_send(stream);
	uring_operation_over(stream);
}

/* ---- listeners and other files ---- */

static int uring_accept(struct io_listener *listener)
{
	struct io_uring_sqe *sqe = uring_get_sqe(uring_of(listener->io));

	listener->internal.accepting = true;
	io_uring_prep_multishot_accept(sqe, listener->fd, NULL, NULL,
				       SOCK_CLOEXEC | SOCK_NONBLOCK);
	io_uring_sqe_set_data64(sqe, uring_tagged(listener, TAG_ACCEPT));
	return 0;
}

static void uring_refuse(struct io_listener *listener)
{
	if (listener->internal.accepting)
		uring_cancel(uring_of(listener->io),
			     uring_tagged(listener, TAG_ACCEPT));
}

static void uring_handle_accept(struct io_listener *listener, int res,
				unsigned flags)
{
	bool last = !(flags & IORING_CQE_F_MORE);

	if (last)
		listener->internal.accepting = false;
	if (res >= 0)
		io_listener_accepted(listener, res);
	else if (res != -ECANCELED && res != -EAGAIN && res != -EINTR)
		io_listener_failed(listener, res);
	if (last && listener->internal.closing)
		/* io_wait() returns, so that its caller sees that this has ended */
		listener->io->callbacks++;
	else if (last && !listener->internal.retry_ns)
		uring_accept(listener);
}

/* Once, and again after the callback: so it is called while it can be read. */
static int uring_poll(struct io_poll *poll)
{
	struct io_uring_sqe *sqe = uring_get_sqe(uring_of(poll->io));

	io_uring_prep_poll_add(sqe, poll->fd, POLLIN);
	io_uring_sqe_set_data64(sqe, uring_tagged(poll, TAG_POLL));
	return 0;
}

static void uring_handle_poll(struct io_poll *poll, int res)
{
	assert(res != -EBADF);
	if (res > 0)
		io_poll_ready(poll);
	uring_poll(poll);
}

/* ---- wake-ups ---- */

void uring_read_wakes(struct uring *uring)
{
	struct io_uring_sqe *sqe = uring_get_sqe(uring);

	io_uring_prep_read(sqe, uring->io.wake_fd, &uring->wakes,
			   sizeof(uring->wakes), 0);
	io_uring_sqe_set_data64(sqe, TAG_WAKE);
}

static void uring_ring_bell(struct io *io)
{
	eventfd_write(io->wake_fd, 1);
}

/* From ring to ring the wake-up is a completion, and there is none here. */
static void uring_wake(struct io *io, struct io *from)
{
	struct io_uring_sqe *sqe;

	if (!from || from->operations != io->operations) {
		uring_ring_bell(io);
		return;
	}
	sqe = uring_get_sqe(uring_of(from));
	io_uring_prep_msg_ring(sqe, uring_of(io)->ring.ring_fd, 0, TAG_NONE, 0);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	io_uring_sqe_set_data64(sqe, uring_tagged(io, TAG_RING_FAIL));
	uring_submit(uring_of(from));
}

/* ---- the loop ---- */

static bool uring_has_kernel_work(struct uring *uring)
{
	unsigned flags =
		__atomic_load_n(uring->ring.sq.kflags, __ATOMIC_RELAXED);

	return flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

/* No system call if there is nothing to submit and nothing to collect. */
static void uring_collect(struct uring *uring)
{
	bool events = io_uring_cq_ready(&uring->ring);

	if (!io_uring_sq_ready(&uring->ring) &&
	    (events || !uring_has_kernel_work(uring)))
		return;
	uring->io.enters++;
	uring_check(uring, io_uring_submit_and_get_events(&uring->ring));
}

HOT static int uring_enter(struct io *io, uint64_t until_ns)
{
	struct uring *uring = uring_of(io);
	uint64_t now = until_ns ? clock_now_ns() : 0;
	uint64_t left = until_ns > now ? until_ns - now : 0;
	/* always a timeout: without, liburing waits on after a signal */
	struct __kernel_timespec timeout = {
		.tv_sec = left / NS_PER_S,
		.tv_nsec = left % NS_PER_S,
	};
	struct io_uring_cqe *cqe;
	int r;

	if (!left || uring->has_lost || io_uring_cq_ready(&uring->ring)) {
		uring_collect(uring);
		return 0;
	}
	io->enters++;
	r = io_uring_submit_and_wait_timeout(&uring->ring, &cqe, 1, &timeout,
					     NULL);
	uring_check(uring, r);
	if (r != -ETIME && !io_uring_cq_ready(&uring->ring) &&
	    clock_now_ns() < until_ns)
		return -EINTR;
	return 0;
}

static void uring_dispatch(struct uring *uring, uint64_t user_data, int res,
			   unsigned flags)
{
	void *pointer = (void *)(uintptr_t)(user_data & ~(uint64_t)TAG_MASK);

	switch ((enum uring_tag)(user_data & TAG_MASK)) {
	case TAG_RECEIVE:
		uring_handle_receive(uring, pointer, res, flags);
		break;
	case TAG_SEND:
		uring_handle_send(pointer, res);
		break;
	case TAG_ACCEPT:
		uring_handle_accept(pointer, res, flags);
		break;
	case TAG_POLL:
		uring_handle_poll(pointer, res);
		break;
	case TAG_WAKE:
		uring_read_wakes(uring);
		break;
	case TAG_RING_FAIL:
		uring_ring_bell(pointer);
		break;
	case TAG_NONE:
	case TAG_PROBE:
		break;
	}
}

/* ---- lost completions ---- */

/* Connections that were accepted and never handed over. */
static void uring_close_accepted(struct uring *uring)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(&uring->ring, &cqe)) {
		if ((cqe->user_data & TAG_MASK) == TAG_ACCEPT && cqe->res >= 0)
			close(cqe->res);
		io_uring_cqe_seen(&uring->ring, cqe);
	}
}

static void uring_drop_completions(struct uring *uring)
{
	do {
		io_uring_submit_and_get_events(&uring->ring);
		uring_close_accepted(uring);
	} while (uring_has_kernel_work(uring));
}

/* Cancels all there is, and waits until the kernel has done with it. */
static void uring_cancel_all(struct uring *uring)
{
	struct io_uring_sync_cancel_reg all = {
		.fd = -1,
		.flags = IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY,
		.timeout = { .tv_sec = -1, .tv_nsec = -1 },
	};
	int r;

	uring_drop_completions(uring);
	r = io_uring_register_sync_cancel(&uring->ring, &all);
	/* what goes on could write to streams that are gone */
	if (r == -EINVAL)
		uring_check(uring, r);
	uring_drop_completions(uring);
}

/*
 * The kernel had no memory for completions, and nobody knows which ones are
 * missing. So nothing is left under way: all streams end, buffers that may have
 * been lost are provided again, and what listens or waits begins anew.
 */
static void uring_recover(struct uring *uring)
{
	int r;

	uring->has_lost = false;
	/* ends operations of sockets also where they cannot be cancelled */
	for (struct io_stream *stream = uring->io.streams; stream;
	     stream = stream->internal.next)
		shutdown(stream->fd, SHUT_RDWR);
	uring_cancel_all(uring);
	io_uring_unregister_buf_ring(&uring->ring, URING_BUFFER_GROUP);
	while ((r = uring_register_buffers(uring)) == -ENOMEM)
		sched_yield();
	uring_check(uring, r);
	uring_provide(uring, 0, uring->provided);
	uring_read_wakes(uring);
	io_begin_anew(&uring->io, -ENOBUFS);
}

/*
 * Handles the completions there are now: what callbacks submit may complete at
 * once, and would have this go on for ever. Each is given back first, so there is
 * room for others.
 */
HOT static void uring_handle(struct io *io)
{
	struct uring *uring = uring_of(io);
	unsigned count = io_uring_cq_ready(&uring->ring);
	struct io_uring_cqe *cqe;

	if (uring->has_lost) {
		uring_recover(uring);
		return;
	}
	while (count-- && !io_uring_peek_cqe(&uring->ring, &cqe)) {
		uint64_t user_data = cqe->user_data;
		unsigned flags = cqe->flags;
		int res = cqe->res;

		io_uring_cqe_seen(&uring->ring, cqe);
		uring_dispatch(uring, user_data, res, flags);
	}
}

/* Cancels first, for a ring lets go of its files some time after it is gone. */
static void uring_free(struct io *io)
{
	struct uring *uring = uring_of(io);

	if (uring->has_ring) {
		uring_cancel_all(uring);
		io_uring_queue_exit(&uring->ring);
	}
	if (uring->buffers)
		munmap(uring->buffers,
		       IO_BUFFERS_MAX * sizeof(struct io_uring_buf));
	if (uring->memory)
		munmap(uring->memory, IO_BUFFERS_MAX * (size_t)IO_RECEIVE_MAX);
}

const struct io_operations uring_operations = {
	.name = "io_uring",
	.receive = uring_receive,
	.pause = uring_pause,
	.send = uring_send,
	.close = uring_close,
	.accept = uring_accept,
	.refuse = uring_refuse,
	.poll = uring_poll,
	.wake = uring_wake,
	.flush = uring_flush,
	.enter = uring_enter,
	.handle = uring_handle,
	.free = uring_free,
};
