/*
 * test_io_room.c - bytes that are received to where a stream has room for them, and
 * bytes that are sent at once, on io_uring and on epoll
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/io/io_internal.h"
#include "io_fixture.h"

#define SIZE ((size_t)3 * 1024 * 1024)

/* An end with room for @room_size bytes, at @at of what has come. */
struct roomy {
	struct end end; /* the first member */
	char bytes[SIZE];
	size_t at, room_size;
	size_t most_waiting; /* as the io said */
	unsigned fills;
	bool closes;
	bool spends; /* has room only once */
	int other;   /* a file to which what has come is sent again; or 0 */
};

static struct roomy *roomy_of(struct io_stream *stream)
{
	return (struct roomy *)stream;
}

static size_t on_room(struct io_stream *stream, size_t waiting, void **ret_to)
{
	struct roomy *roomy = roomy_of(stream);
	int there;

	ck_assert_uint_ge(waiting, 1);
	ck_assert(!ioctl(stream->fd, FIONREAD, &there));
	ck_assert_uint_le(waiting, there > 1 ? (size_t)there : 1);
	if (waiting > roomy->most_waiting)
		roomy->most_waiting = waiting;

	*ret_to = roomy->bytes + roomy->at;
	if (roomy->spends && roomy->room_size) {
		roomy->room_size = 0;
		return 1;
	}
	return roomy->room_size;
}

static void on_filled(struct io_stream *stream, size_t size)
{
	struct roomy *roomy = roomy_of(stream);

	ck_assert_uint_ge(size, 1);
	ck_assert_uint_le(size, roomy->room_size);
	ck_assert(!stream->internal.closing);
	if (roomy->other)
		ck_assert_int_eq(send(roomy->other, roomy->bytes + roomy->at,
				      size, MSG_NOSIGNAL),
				 (ssize_t)size);
	else
		roomy->at += size;
	roomy->room_size -= roomy->other ? 0 : size;
	roomy->fills++;
	if (roomy->closes)
		io_stream_close(stream);
}

static struct roomy *open_roomy(struct io *io, int fd, size_t room)
{
	struct roomy *roomy = calloc(1, sizeof(*roomy));

	ck_assert_ptr_nonnull(roomy);
	roomy->end.stream.room = on_room;
	roomy->end.stream.filled = on_filled;
	roomy->room_size = room;
	end_open(io, &roomy->end, fd, SIZE);
	return roomy;
}

static char *some_bytes(void)
{
	char *bytes = malloc(SIZE);
	unsigned seed = 1;

	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (char)(rand_r(&seed) >> 4);
	return bytes;
}

/* The first of them have room, and the rest go to received(). */
static void transfer(int backend, void (*make_pair)(int fds[2]), size_t room)
{
	struct io *io = io_of(backend);
	char *bytes = some_bytes();
	struct end from = { 0 };
	struct roomy *to;
	int fds[2];

	make_pair(fds);
	to = open_roomy(io, fds[0], room);
	end_open(io, &from, fds[1], 1);
	end_send(&from, bytes, SIZE);
	TURN_UNTIL(io, to->at + to->end.in_size == SIZE);
	ck_assert_uint_eq(to->at, room);
	if (room > 1)
		ck_assert_uint_gt(to->most_waiting, 1);
	ck_assert_mem_eq(to->bytes, bytes, room);
	ck_assert_mem_eq(to->end.in, bytes + room, SIZE - room);
	end_close(&from);
	TURN_UNTIL(io, to->end.ended);
	ck_assert_int_eq(to->end.end_error, 0);
	end_close(&to->end);
	io_free(io);
	free(to);
	free(bytes);
}

START_TEST(bytes_go_to_where_there_is_room)
{
	transfer(_i, pair_unix, SIZE);
	transfer(_i, pair_tcp, SIZE);
}
END_TEST

START_TEST(what_comes_behind_them_does_not)
{
	transfer(_i, pair_unix, 1);
	transfer(_i, pair_tcp, SIZE - 1);
	transfer(_i, pair_unix, SIZE / 2 + 1);
}
END_TEST

/* A body may be refused while it comes. */
START_TEST(room_may_go_away_before_there_are_bytes)
{
	struct io *io = io_of(_i);
	struct roomy *roomy;
	int fds[2];

	pair_unix(fds);
	roomy = open_roomy(io, fds[0], 1);
	roomy->spends = true;
	io_wait(io, 0);
	io_wait(io, 0);
	roomy->room_size = 0;
	ck_assert_int_eq(send(fds[1], "abc", 3, 0), 3);
	TURN_UNTIL(io, roomy->end.in_size == 3);
	ck_assert_uint_eq(roomy->fills, 0);
	end_close(&roomy->end);
	close(fds[1]);
	io_free(io);
	free(roomy);
}
END_TEST

/* What comes as fast as it is taken keeps nobody else waiting. */
START_TEST(a_stream_with_room_takes_turns)
{
	static char bytes[100 * 1000];
	struct io *io = io_of(_i);
	struct roomy *roomy;
	size_t most;
	int fds[2];

	pair_unix(fds);
	roomy = open_roomy(io, fds[0], sizeof(bytes));
	ck_assert_int_eq(send(fds[1], bytes, sizeof(bytes), 0),
			 (ssize_t)sizeof(bytes));
	roomy->other = fds[1];
	most = IO_FILL_MAX / sizeof(bytes) + 1;
	for (unsigned i = 0; i < 10; i++) {
		roomy->fills = 0;
		io_wait(io, 0);
		ck_assert_uint_le(roomy->fills, 2 * most);
	}
	ck_assert_uint_gt(roomy->fills, 0);
	end_close(&roomy->end);
	close(fds[1]);
	io_free(io);
	free(roomy);
}
END_TEST

START_TEST(a_stream_may_be_closed_when_it_is_filled)
{
	struct io *io = io_of(_i);
	struct roomy *roomy;
	int fds[2];

	pair_unix(fds);
	roomy = open_roomy(io, fds[0], 2);
	roomy->closes = true;
	ck_assert_int_eq(send(fds[1], "abc", 3, 0), 3);
	TURN_UNTIL(io, roomy->end.closed);
	ck_assert_uint_eq(roomy->fills, 1);
	ck_assert(end_untouched(&roomy->end));
	close(fds[1]);
	io_free(io);
	free(roomy);
}
END_TEST

/* Nobody waits for bytes of it then, in the kernel or elsewhere. */
START_TEST(a_stream_with_room_is_closed_while_it_waits)
{
	struct io *io = io_of(_i);
	struct roomy *roomy;
	int fds[2];

	pair_unix(fds);
	roomy = open_roomy(io, fds[0], 2);
	io_wait(io, 0);
	end_close(&roomy->end);
	ck_assert(end_untouched(&roomy->end));
	close(fds[1]);
	io_free(io);
	free(roomy);
}
END_TEST

START_TEST(a_reset_ends_a_stream_with_room)
{
	const struct linger none = { .l_onoff = 1, .l_linger = 0 };
	struct io *io = io_of(_i);
	struct roomy *roomy;
	int fds[2];

	pair_tcp(fds);
	roomy = open_roomy(io, fds[0], 100);
	io_wait(io, 0);
	ck_assert(!setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &none,
			      sizeof(none)));
	close(fds[1]);
	TURN_UNTIL(io, roomy->end.ended);
	ck_assert_int_eq(roomy->end.end_error, -ECONNRESET);
	end_close(&roomy->end);
	io_free(io);
	free(roomy);
}
END_TEST

/* What the kernel takes at once, then the rest: all of it, in order. */
START_TEST(what_is_sent_at_once_comes_before_the_rest)
{
	struct io *io = io_of(_i);
	char *bytes = some_bytes(), *in = malloc(SIZE);
	const struct iovec pieces[] = { { bytes, 1000 },
					{ bytes + 1000, SIZE - 1000 } };
	struct end end = { 0 };
	size_t sent, taken = 0;
	ssize_t part;
	int fds[2], there;

	pair_unix(fds);
	end_open(io, &end, fds[0], 1);
	sent = io_stream_send_some(&end.stream, pieces, 2);
	ck_assert_uint_gt(sent, 1000);
	ck_assert_uint_lt(sent, SIZE);
	ck_assert(!ioctl(fds[1], FIONREAD, &there));
	ck_assert_uint_eq((size_t)there, sent);
	/* it is full */
	ck_assert_uint_eq(io_stream_send_some(&end.stream, pieces, 2), 0);
	end_send(&end, bytes + sent, SIZE - sent);
	while (taken < SIZE) {
		part = read(fds[1], in + taken, SIZE - taken);
		taken += part > 0 ? (size_t)part : 0;
		io_wait(io, 0);
	}
	ck_assert_mem_eq(in, bytes, SIZE);
	TURN_UNTIL(io, end.sent == 1);
	end_close(&end);
	close(fds[1]);
	io_free(io);
	free(bytes);
	free(in);
}
END_TEST

START_TEST(that_nothing_is_left_to_be_sent_is_told_as_well)
{
	struct io *io = io_of(_i);
	const struct iovec piece = { "abc", 3 }, none = { NULL, 0 };
	struct end end = { 0 };
	int fds[2];

	pair_unix(fds);
	end_open(io, &end, fds[0], 1);
	ck_assert_uint_eq(io_stream_send_some(&end.stream, &piece, 1), 3);
	ck_assert_int_eq(end.sent, 0);
	io_stream_send(&end.stream, &none, 1);
	ck_assert_int_eq(end.sent, 0);
	io_wait(io, 0);
	ck_assert_int_eq(end.sent, 1);
	ck_assert_int_eq(end.sent_error, 0);
	/* but not to one that is closed before */
	io_stream_send(&end.stream, &none, 1);
	end_close(&end);
	ck_assert_int_eq(end.sent, 1);
	close(fds[1]);
	io_free(io);
}
END_TEST

START_TEST(what_is_wrong_is_told_by_what_sends_the_rest)
{
	static char bytes[1000];
	struct io *io = io_of(_i);
	const struct iovec piece = { bytes, sizeof(bytes) };
	struct end end = { 0 };
	int fds[2];

	pair_unix(fds);
	end_open(io, &end, fds[0], 1);
	close(fds[1]);
	ck_assert_uint_eq(io_stream_send_some(&end.stream, &piece, 1), 0);
	end_send(&end, bytes, sizeof(bytes));
	TURN_UNTIL(io, end.sent);
	ck_assert_int_eq(end.sent_error, -EPIPE);
	end_close(&end);
	io_free(io);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		bytes_go_to_where_there_is_room,
		what_comes_behind_them_does_not,
		room_may_go_away_before_there_are_bytes,
		a_stream_with_room_takes_turns,
		a_stream_may_be_closed_when_it_is_filled,
		a_stream_with_room_is_closed_while_it_waits,
		a_reset_ends_a_stream_with_room,
		what_is_sent_at_once_comes_before_the_rest,
		that_nothing_is_left_to_be_sent_is_told_as_well,
		what_is_wrong_is_told_by_what_sends_the_rest,
		NULL,
	};

	return run_for_backends("io_room", tests);
}
