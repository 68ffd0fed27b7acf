/* fake_io.c - a backend of io.h that does nothing by itself. See fake_io.h. */
#include "tests/unit/fake_io.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "executor/io/io_internal.h"
#include "tests/unit/require.h"

unsigned fake_io_sends;
unsigned fake_io_flushes;

static void fake_receive(struct io_stream *stream)
{
	stream->internal.receiving = true;
}

static void fake_pause(struct io_stream *stream)
{
	stream->internal.receiving = false;
}

static void fake_send(struct io_stream *stream)
{
	fake_io_sends++;
	stream->internal.pending++;
}

/* What is under way is cancelled. */
static void fake_close(struct io_stream *stream)
{
	stream->internal.receiving = false;
	stream->internal.pending = 0;
}

static void fake_wake(struct io *io, struct io *from)
{
	(void)io;
	(void)from;
}

static void fake_nothing(struct io *io)
{
	(void)io;
}

static void fake_flush(struct io *io)
{
	(void)io;
	fake_io_flushes++;
}

static int fake_enter(struct io *io, uint64_t until_ns)
{
	(void)io;
	(void)until_ns;
	return 0;
}

static const struct io_operations operations = {
	.name = "fake",
	.receive = fake_receive,
	.pause = fake_pause,
	.send = fake_send,
	.close = fake_close,
	.wake = fake_wake,
	.flush = fake_flush,
	.enter = fake_enter,
	.handle = fake_nothing,
	.free = fake_nothing,
};

struct io *fake_io_create(void)
{
	struct io *io = io_allocate(&operations, sizeof(*io));

	REQUIRE(io);
	return io;
}

void fake_io_sleep(struct io *io)
{
	atomic_store(&io->sleeping, true);
}

bool fake_io_has_work(const struct io *io)
{
	return io->inbox || io->ready;
}

bool fake_io_has_streams(const struct io *io)
{
	return io->streams;
}

int fake_io_socket(void)
{
	int fds[2];

	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	close(fds[1]);
	return fds[0];
}

bool fake_io_receive(struct io_stream *stream, const char *bytes, size_t size)
{
	char *copy;

	if (!stream->internal.receiving)
		return false;
	/* so that a sanitizer sees who reads beyond it, or later */
	copy = malloc(size);
	REQUIRE(copy);
	memcpy(copy, bytes, size);
	io_stream_received(stream, copy, size);
	free(copy);
	return true;
}

size_t fake_io_fill(struct io_stream *stream, const char *bytes, size_t size)
{
	char *to;
	size_t room;

	if (!stream->internal.receiving || !io_stream_has_room(stream))
		return 0;
	room = stream->room(stream, size, (void **)&to);
	if (room > size)
		room = size;
	/* as the kernel does: tests count what the server copies */
	for (size_t i = 0; i < room; i++)
		to[i] = bytes[i];
	stream->filled(stream, room);
	return room;
}

bool fake_io_sent(struct io_stream *stream, int error)
{
	if (!stream->internal.sending)
		return false;
	stream->internal.pending--;
	io_stream_sent(stream, error);
	return true;
}

void fake_io_end(struct io_stream *stream, int error)
{
	io_stream_ended(stream, error);
}
