/*
 * client_stream.c - the frames of one client's connection. See client_stream.h.
 *
 * Bytes are received into one buffer, whole frames are counted as they come,
 * and the frame that the caller looks at lies in another, so that sending,
 * which receives too, does not move it.
 */
#include "executor/client/client_stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "executor/io/runtime_dir.h"
#include "executor/protocol/frame.h"

/* Bytes that are received at a time, at least. */
#define RECEIVE_MIN (64 * 1024)

/* All replies that can be outstanding, however large. */
#define RECEIVED_MAX                                                         \
	(FRAME_PIPELINE_MAX * (size_t)(FRAME_HEADER_SIZE + FRAME_BODY_MAX) + \
	 RECEIVE_MIN)

#define NO_MEMORY "no memory for the server's replies"

static int stream_cannot_connect(const char *path, int error, struct error *err)
{
	const char *advice = "";

	if (error == ENOENT || error == ECONNREFUSED)
		advice = ": is `thaw serve` running?";
	return error_set(err, -error, "cannot connect to %s: %s%s", path,
			 strerror(error), advice);
}

int client_stream_open(struct client_stream *stream, const char *path,
		       struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(address.sun_path))
		return stream_cannot_connect(path, ENAMETOOLONG, err);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return stream_cannot_connect(path, errno, err);
	do
		r = connect(fd, (const struct sockaddr *)&address,
			    sizeof(address));
	while (r && errno == EINTR);
	r = r ? stream_cannot_connect(path, errno, err) : 0;
	if (runtime_check(path, err))
		r = -EPERM;
	if (r) {
		close(fd);
		return r;
	}
	*stream = (struct client_stream){
		.fd = fd,
		.received = BUFFER_INIT(RECEIVED_MAX),
		.held = BUFFER_INIT(RECEIVED_MAX),
	};
	return 0;
}

void client_stream_close(struct client_stream *stream)
{
	close(stream->fd);
	buffer_done(&stream->received);
	buffer_done(&stream->held);
}

int client_stream_refusal(const struct frame_reply *reply, struct error *err)
{
	static const struct {
		int error;
		const char *message; /* if the server says nothing */
	} refusals[] = {
		[FRAME_BAD_REQUEST] = { -EINVAL, "it is no good" },
		[FRAME_NOT_FOUND] = { -ENOENT, "there is no such function" },
		[FRAME_TOO_LARGE] = { -E2BIG, "it is too large" },
		[FRAME_THROTTLED] = { -EBUSY, "too many are under way" },
		[FRAME_NOT_READY] = { -EAGAIN, "the function is not ready" },
		[FRAME_FAILED] = { -EIO, "it has failed itself" },
	};
	int error = refusals[reply->status].error;

	if (*reply->error_message)
		return error_set(err, error, "%s", reply->error_message);
	return error_set(err, error, "the server refused the request: %s",
			 refusals[reply->status].message);
}

/*
 * Breaks the stream: only what was received before can still be read. The first
 * reason is kept.
 */
static void break_off(struct client_stream *stream, int error,
		      const char *reason)
{
	if (!stream->broken)
		stream->broken =
			error_set(&stream->reason, error, "%s", reason);
}

int client_stream_error(const struct client_stream *stream, struct error *err)
{
	return error_set(err, stream->broken, "%s", stream->reason.message);
}

static void break_lost(struct client_stream *stream)
{
	break_off(stream, -ECONNRESET, "the server has closed the connection");
}

void client_stream_break(struct client_stream *stream)
{
	break_off(stream, -EPROTO,
		  "the server sent what is not a reply of ours: is this the "
		  "socket of `thaw serve`, of the same version?");
}

/* Takes a reply to no request, which says why the server closes the connection. */
static void take_farewell(struct client_stream *stream, const char *frame,
			  size_t size)
{
	struct frame_reply reply;

	if (frame_read_reply(frame, size, &reply) ||
	    reply.status < FRAME_BAD_REQUEST)
		client_stream_break(stream);
	else if (!stream->broken)
		stream->broken = client_stream_refusal(&reply, &stream->reason);
}

/* Counts the frames that have become whole. */
static void count_replies(struct client_stream *stream)
{
	const struct buffer *received = &stream->received;

	while (!stream->broken) {
		const char *frame = received->data + stream->end;
		int64_t size = frame_size(frame, received->size - stream->end,
					  FRAME_REPLY, FRAME_BODY_MAX,
					  &stream->need);

		if (!size)
			return;
		if (size > 0 && !frame_id(frame)) {
			take_farewell(stream, frame, (size_t)size);
		} else if (size < 0 || stream->replies == stream->expected) {
			client_stream_break(stream);
		} else {
			stream->end += (size_t)size;
			stream->need = FRAME_HEADER_SIZE;
			stream->replies++;
		}
	}
}

/* Makes room behind what was received, for the whole next frame if that is known. */
static char *stream_make_room(struct client_stream *stream)
{
	struct buffer *received = &stream->received;
	size_t kept = received->size - stream->start;
	size_t have = received->size - stream->end;
	size_t want = RECEIVE_MIN;

	/* moves each byte once at most, on average */
	if (stream->start && stream->start >= kept) {
		memmove(received->data, received->data + stream->start, kept);
		stream->end -= stream->start;
		stream->start = 0;
		received->size = kept;
	}
	if (stream->need > have + want)
		want = stream->need - have;
	return buffer_reserve(received, want);
}

/*
 * Receives once; with MSG_DONTWAIT in @flags only what is there. Returns whether
 * there may be more.
 */
static bool stream_receive_some(struct client_stream *stream, int flags)
{
	struct buffer *received = &stream->received;
	char *room = stream_make_room(stream);
	ssize_t n;

	if (!room) {
		break_off(stream, -ENOMEM, NO_MEMORY);
		return false;
	}
	n = recv(stream->fd, room, received->capacity - received->size, flags);
	if (n > 0) {
		received->size += (size_t)n;
		count_replies(stream);
		return !stream->broken;
	}
	if (n < 0 && errno == EINTR)
		return true;
	if (!n || (errno != EAGAIN && errno != EWOULDBLOCK))
		break_lost(stream);
	return false;
}

/*
 * Waits until something can be sent, and receives in the meantime, since a server that
 * cannot send its replies stops reading requests. A frame that comes when no reply is
 * expected ends the connection.
 */
static void wait_to_send(struct client_stream *stream)
{
	struct pollfd fd = { .fd = stream->fd, .events = POLLOUT | POLLIN };

	if (poll(&fd, 1, -1) < 0 && errno != EINTR && errno != EAGAIN)
		break_lost(stream);
	else if (fd.revents & POLLIN)
		stream_receive_some(stream, MSG_DONTWAIT);
}

static void sent_advance(struct msghdr *message, size_t sent)
{
	struct iovec *piece = message->msg_iov;

	while (message->msg_iovlen && sent >= piece->iov_len) {
		sent -= piece->iov_len;
		piece++;
		message->msg_iovlen--;
	}
	message->msg_iov = piece;
	if (message->msg_iovlen) {
		piece->iov_base = (char *)piece->iov_base + sent;
		piece->iov_len -= sent;
	}
}

void client_stream_send(struct client_stream *stream, const void *head,
			size_t head_size, const void *data, size_t size)
{
	struct iovec pieces[] = {
		{ (void *)head, head_size },
		{ (void *)data, size },
	};
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };

	while (!stream->broken && message.msg_iovlen) {
		ssize_t n = sendmsg(stream->fd, &message,
				    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0) {
			sent_advance(&message, (size_t)n);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			wait_to_send(stream);
		} else if (errno != EINTR) {
			/* the server may have said why before it closed */
			while (stream_receive_some(stream, MSG_DONTWAIT))
				;
			break_lost(stream);
		}
	}
}

/*
 * Moves the first frame, of @size bytes, to where the caller may look at it. Copies
 * either that frame or what was received behind it, whichever is smaller.
 */
static const char *hold(struct client_stream *stream, size_t size)
{
	struct buffer *received = &stream->received, *held = &stream->held;
	const char *frame = received->data + stream->start;
	size_t rest = received->size - stream->start - size;
	struct buffer swapped;

	buffer_clear(held);
	if (size <= rest) {
		buffer_append(held, frame, size);
		if (held->failed)
			return NULL;
		stream->start += size;
		return held->data;
	}
	buffer_append(held, frame + size, rest);
	if (held->failed)
		return NULL;
	swapped = *received;
	*received = *held;
	*held = swapped;
	stream->end -= stream->start + size;
	stream->start = 0;
	return frame;
}

const char *client_stream_next(struct client_stream *stream, size_t *ret_size)
{
	const char *frame;

	while (!stream->replies && !stream->broken)
		stream_receive_some(stream, 0);
	if (!stream->replies)
		return NULL;
	frame_size(stream->received.data + stream->start,
		   stream->end - stream->start, FRAME_REPLY, FRAME_BODY_MAX,
		   ret_size);
	frame = hold(stream, *ret_size);
	if (!frame) {
		break_off(stream, -ENOMEM, NO_MEMORY);
		return NULL;
	}
	stream->replies--;
	return frame;
}
