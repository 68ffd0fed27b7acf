/* test_io.c - connections, on io_uring and on epoll */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/io/io_internal.h"
#include "io_fixture.h"

#define MIB (1024 * 1024)
#define CONNECTIONS 2500

static char *random_bytes(size_t size)
{
	char *bytes = malloc(size);
	unsigned seed = size;

	for (size_t i = 0; i < size; i++)
		bytes[i] = rand_r(&seed) >> 4;
	return bytes;
}

static void echo_over(struct io *io, const int fds[2])
{
	static const char text[] = "what is sent comes back";
	struct end here = { 0 }, there = { .echo = true };

	end_open(io, &here, fds[0], sizeof(text));
	end_open(io, &there, fds[1], sizeof(text));
	end_send(&here, text, sizeof(text));
	TURN_UNTIL(io, here.in_size == sizeof(text));
	ck_assert_mem_eq(here.in, text, sizeof(text));
	TURN_UNTIL(io, here.sent && there.sent);
	ck_assert_int_eq(here.sent_error, 0);
	end_close(&here);
	TURN_UNTIL(io, there.ended);
	ck_assert_int_eq(there.end_error, 0);
	end_close(&there);
}

START_TEST(bytes_come_back)
{
	struct io *io = io_of(_i);
	int fds[2];

	pair_unix(fds);
	echo_over(io, fds);
	pair_tcp(fds);
	echo_over(io, fds);
	io_free(io);
}
END_TEST

static void small_buffers(int fd)
{
	const int size = 4096;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* Both ways at once; a picky end takes as much as it likes and rests. */
static void exchange(struct io *io, const int fds[2], struct end *one,
		     struct end *two, size_t size)
{
	char *bytes = random_bytes(size);

	small_buffers(fds[0]);
	small_buffers(fds[1]);
	end_open(io, one, fds[0], size);
	end_open(io, two, fds[1], size);
	end_send(one, bytes, size);
	end_send(two, bytes, size);
	while (one->in_size < size || two->in_size < size) {
		turn(io, clock_now_ns());
		io_stream_resume(&one->stream);
		io_stream_resume(&two->stream);
	}
	TURN_UNTIL(io, one->sent && two->sent);
	ck_assert_mem_eq(one->in, bytes, size);
	ck_assert_mem_eq(two->in, bytes, size);
	ck_assert_int_eq(one->sent_error, 0);
	end_close(one);
	end_close(two);
	free(bytes);
}

START_TEST(large_transfers_are_exact)
{
	struct io *io = io_of(_i);
	struct end one = { 0 }, two = { 0 };
	int fds[2];

	pair_unix(fds);
	exchange(io, fds, &one, &two, 8 * MIB);
	one = two = (struct end){ 0 };
	pair_tcp(fds);
	exchange(io, fds, &one, &two, 8 * MIB);
	io_free(io);
}
END_TEST

START_TEST(what_is_not_taken_comes_again_exactly)
{
	struct io *io = io_of(_i);
	struct end one, two;
	int fds[2];

	for (unsigned seed = 1; seed <= 4; seed++) {
		one = (struct end){ .picky = true, .seed = seed };
		two = (struct end){ .picky = true, .seed = seed + 99 };
		if (seed % 2)
			pair_unix(fds);
		else
			pair_tcp(fds);
		exchange(io, fds, &one, &two, MIB);
	}
	io_free(io);
}
END_TEST

START_TEST(a_stream_resumed_while_it_receives_is_not_paused)
{
	const size_t size = MIB;
	struct io *io = io_of(_i);
	struct end one = { .picky = true, .greedy = true, .seed = 5 };
	struct end two = { 0 };
	char *bytes = random_bytes(size);
	int fds[2];

	pair_unix(fds);
	end_open(io, &one, fds[0], size);
	end_open(io, &two, fds[1], size);
	end_send(&two, bytes, size);
	TURN_UNTIL(io, one.in_size == size);
	ck_assert_mem_eq(one.in, bytes, size);
	end_close(&one);
	end_close(&two);
	free(bytes);
	io_free(io);
}
END_TEST

/* A paused stream: @size bytes more may come, but are not received. */
START_TEST(a_paused_stream_is_not_read_and_not_called)
{
	struct io *io = io_of(_i);
	struct end end = { .refuses = true };
	char *bytes = random_bytes(MIB);
	int fds[2];
	ssize_t size;

	pair_unix(fds);
	end_open(io, &end, fds[0], 4 * MIB);
	ck_assert_int_eq(write(fds[1], "a", 1), 1);
	TURN_UNTIL(io, end.calls);
	/* the socket's buffer fills, and nobody empties it */
	for (unsigned i = 0; i < 20; i++) {
		size = write(fds[1], bytes, MIB);
		io_wait(io, clock_now_ns() + NS_PER_MS);
	}
	ck_assert_int_eq(size, -1);
	ck_assert_uint_eq(end.calls, 1);
	/* nor does it keep the thread busy */
	close(fds[1]);
	io_wait(io, clock_now_ns() + NS_PER_MS);
	io_wait(io, clock_now_ns() + NS_PER_MS);
	io->enters = 0;
	io_wait(io, clock_now_ns() + 20 * NS_PER_MS);
	ck_assert_uint_le(io->enters, 2);
	ck_assert_int_eq(end.ended, 0);

	end.refuses = false;
	io_stream_resume(&end.stream);
	TURN_UNTIL(io, end.ended);
	ck_assert_uint_gt(end.in_size, 1);
	end_close(&end);
	free(bytes);
	io_free(io);
}
END_TEST

START_TEST(the_end_comes_after_all_bytes_were_taken)
{
	struct io *io = io_of(_i);
	struct end end = { .refuses = true };
	int fds[2];

	pair_unix(fds);
	end_open(io, &end, fds[0], 100);
	ck_assert_int_eq(write(fds[1], "last words", 10), 10);
	close(fds[1]);
	for (unsigned i = 0; i < 5; i++) {
		io_wait(io, clock_now_ns() + NS_PER_MS);
		ck_assert_int_eq(end.ended, 0);
		io_stream_resume(&end.stream);
	}
	ck_assert_uint_ge(end.calls, 4);
	end.refuses = false;
	TURN_UNTIL(io, end.ended);
	ck_assert_uint_eq(end.in_size, 10);
	ck_assert_int_eq(end.end_error, 0);
	end_close(&end);
	io_free(io);
}
END_TEST

START_TEST(an_end_that_only_listens_still_has_its_reply)
{
	const size_t size = MIB;
	struct io *io = io_of(_i);
	struct end server = { 0 }, client = { 0 };
	char *bytes = random_bytes(size);
	int fds[2];

	pair_tcp(fds);
	small_buffers(fds[0]);
	end_open(io, &server, fds[0], 100);
	end_open(io, &client, fds[1], size);
	ck_assert(!shutdown(fds[1], SHUT_WR));
	end_send(&server, bytes, size);
	TURN_UNTIL(io, server.ended && server.sent && client.in_size == size);
	ck_assert_int_eq(server.end_error, 0);
	ck_assert_int_eq(server.sent_error, 0);
	ck_assert_mem_eq(client.in, bytes, size);
	io->enters = 0;
	io_wait(io, clock_now_ns() + 20 * NS_PER_MS);
	ck_assert_uint_le(io->enters, 2);
	end_close(&server);
	end_close(&client);
	free(bytes);
	io_free(io);
}
END_TEST

START_TEST(a_reset_ends_both_directions)
{
	const struct linger linger = { .l_onoff = 1 };
	struct io *io = io_of(_i);
	struct end end = { 0 };
	char *bytes = random_bytes(8 * MIB);
	int fds[2];

	pair_tcp(fds);
	end_open(io, &end, fds[0], 100);
	end_send(&end, bytes, 8 * MIB);
	io_flush(io);
	io_wait(io, 0);
	ck_assert_int_eq(end.sent, 0);
	setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fds[1]);
	TURN_UNTIL(io, end.sent && end.ended);
	ck_assert_int_lt(end.sent_error, 0);
	/* the one error goes to whoever asks first */
	if (end.end_error)
		ck_assert_int_eq(end.end_error, -ECONNRESET);
	ck_assert_int_eq(end.sent, 1);
	/* and what is sent afterwards fails too */
	end_send(&end, "x", 1);
	TURN_UNTIL(io, end.sent == 2);
	ck_assert_int_eq(end.sent_error, -EPIPE);
	end_close(&end);
	free(bytes);
	io_free(io);
}
END_TEST

static void close_in(struct io *io, enum close_in where)
{
	struct end end = { .close_in = where };
	int fds[2];

	pair_unix(fds);
	end_open(io, &end, fds[0], 100);
	end_send(&end, "hello", 5);
	/* all of it at once: the rest is not to be reported */
	io_flush(io);
	ck_assert_int_eq(write(fds[1], "hello", 5), 5);
	if (where == IN_ENDED)
		close(fds[1]);
	TURN_UNTIL(io, end.closed);
	ck_assert_int_le(end.sent + (int)end.calls + end.ended, 3);
	/* its socket is closed: nobody reads there any more */
	if (where != IN_ENDED) {
		ck_assert_int_eq(send(fds[1], "x", 1, MSG_NOSIGNAL), -1);
		close(fds[1]);
	}
}

START_TEST(a_stream_may_be_closed_in_each_callback)
{
	struct io *io = io_of(_i);

	close_in(io, IN_RECEIVED);
	close_in(io, IN_ENDED);
	close_in(io, IN_SENT);
	io_free(io);
}
END_TEST

START_TEST(closing_keeps_what_is_sent_borrowed_until_it_is_over)
{
	struct io *io = io_of(_i);
	struct end *end;
	char *bytes;
	int fds[2];

	for (unsigned turns = 0; turns < 4; turns++) {
		end = calloc(1, sizeof(*end));
		bytes = random_bytes(8 * MIB);
		pair_unix(fds);
		end_open(io, end, fds[0], 100);
		end_send(end, bytes, 8 * MIB);
		for (unsigned i = 0; i < turns; i++)
			io_wait(io, clock_now_ns() + NS_PER_MS);
		end_close(end);
		ck_assert_int_eq(end->sent, 0);
		free(bytes);
		free(end);
		close(fds[1]);
		io_wait(io, clock_now_ns() + NS_PER_MS);
	}
	io_free(io);
}
END_TEST

/* Ready to hand over, and sending: the one must not hide the other. */
START_TEST(closing_right_after_resuming_waits_for_what_is_sent)
{
	struct io *io = io_of(_i);
	struct end end = { .refuses = true };
	char *bytes = random_bytes(8 * MIB);
	int fds[2];

	pair_unix(fds);
	end_open(io, &end, fds[0], 100);
	end_send(&end, bytes, 8 * MIB);
	ck_assert_int_eq(write(fds[1], "hello", 5), 5);
	TURN_UNTIL(io, end.calls);
	io_stream_resume(&end.stream);
	end_close(&end);
	ck_assert_uint_eq(end.calls, 1);
	close(fds[1]);
	for (unsigned i = 0; i < 5; i++)
		io_wait(io, clock_now_ns() + NS_PER_MS);
	ck_assert(end_untouched(&end));
	free(bytes);
	io_free(io);
}
END_TEST

START_TEST(closing_while_paused_and_before_the_first_wait)
{
	struct io *io = io_of(_i);
	struct end paused = { .refuses = true }, fresh = { 0 };
	int fds[2], others[2];

	pair_unix(fds);
	pair_unix(others);
	end_open(io, &paused, fds[0], 100);
	ck_assert_int_eq(write(fds[1], "hello", 5), 5);
	TURN_UNTIL(io, paused.calls);
	io_stream_resume(&paused.stream);
	end_open(io, &fresh, others[0], 100);
	end_close(&fresh);
	end_close(&paused);
	close(fds[1]);
	close(others[1]);
	io_free(io);
}
END_TEST

static void write_all(int fds[][2], unsigned step)
{
	for (unsigned i = 0; i < CONNECTIONS; i += step)
		ck_assert_int_eq(write(fds[i][1], "hello", 5), 5);
}

static size_t sum(const struct end *ends)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < CONNECTIONS; i++)
		bytes += ends[i].in_size;
	return bytes;
}

/* More than there are buffers, submissions and completions of a ring. */
START_TEST(of_many_connections_one_or_all_may_talk)
{
	static struct end ends[CONNECTIONS];
	static int fds[CONNECTIONS][2];
	struct io *io = io_of(_i);

	if (!may_have_files(2 * CONNECTIONS + 100)) {
		printf("skip: %s: too few files allowed\n", io_name(io));
		io_free(io);
		return;
	}
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		pair_unix(fds[i]);
		end_open(io, &ends[i], fds[i][0], 100);
	}
	io_wait(io, 0);
	write_all(fds, CONNECTIONS);
	TURN_UNTIL(io, ends[0].in_size == 5);
	ck_assert_uint_eq(sum(ends), 5);
	for (unsigned round = 1; round <= 3; round++) {
		write_all(fds, 1);
		TURN_UNTIL(io, sum(ends) == 5 + 5 * CONNECTIONS * round);
	}
	for (unsigned i = 0; i < CONNECTIONS; i++)
		io_stream_close(&ends[i].stream);
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		TURN_UNTIL(io, ends[i].closed);
		close(fds[i][1]);
	}
	io_free(io);
}
END_TEST

START_TEST(sends_that_follow_each_other_stay_in_order)
{
	static const char text[] = "0123456789";
	const size_t times = 5000, size = 10 * times;
	struct io *io = io_of(_i);
	struct end one = { .sends = times - 1 }, two = { 0 };
	int fds[2];

	pair_unix(fds);
	end_open(io, &one, fds[0], 100);
	end_open(io, &two, fds[1], size);
	end_send(&one, text, 10);
	TURN_UNTIL(io, two.in_size == size && one.sent == (int)times);
	for (size_t i = 0; i < size; i++)
		ck_assert_int_eq(two.in[i], text[i % 10]);
	end_close(&one);
	end_close(&two);
	io_free(io);
}
END_TEST

static uint64_t enters_of_round(struct io *io, struct end *end, int fd)
{
	size_t before = end->in_size;
	int sent = end->sent;
	char byte;

	io->enters = 0;
	ck_assert_int_eq(write(fd, "x", 1), 1);
	while (end->in_size == before)
		io_wait(io, UINT64_MAX);
	io_flush(io);
	ck_assert_int_eq(read(fd, &byte, 1), 1);
	while (end->sent == sent)
		io_wait(io, UINT64_MAX);
	return io->enters;
}

/* What has room for more is not filled at once: others have their turn. */
START_TEST(a_large_send_takes_turns)
{
	static char bytes[4 * IO_SEND_MAX], in[sizeof(bytes)];
	struct io *io = io_of(_i);
	struct end end = { 0 };
	size_t taken = 0;
	int fds[2], size;

	pair_unix(fds);
	end_open(io, &end, fds[0], 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i >> 8);
	end_send(&end, bytes, sizeof(bytes));
	io_flush(io);
	ck_assert(!ioctl(fds[1], FIONREAD, &size));
	ck_assert_int_eq(size, IO_SEND_MAX);
	while (taken < sizeof(in)) {
		ssize_t part = read(fds[1], in + taken, sizeof(in) - taken);

		if (part > 0)
			taken += (size_t)part;
		io_wait(io, 0);
	}
	TURN_UNTIL(io, end.sent);
	ck_assert_int_eq(end.sent_error, 0);
	ck_assert_mem_eq(in, bytes, sizeof(in));
	end_close(&end);
	close(fds[1]);
	io_free(io);
}
END_TEST

START_TEST(a_request_and_its_reply_are_two_system_calls)
{
	struct io *io = io_of(_i);
	struct end end = { .echo = true };
	int fds[2];

	pair_unix(fds);
	end_open(io, &end, fds[0], 1000);
	enters_of_round(io, &end, fds[1]);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_le(enters_of_round(io, &end, fds[1]), 2);
	/* and with nothing to do, io_uring needs none to find that out */
	io_wait(io, 0);
	io->enters = 0;
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(io_wait(io, 0), 0);
	ck_assert_uint_eq(io->enters, _i == IO_URING ? 0 : 100);
	end_close(&end);
	close(fds[1]);
	io_free(io);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		bytes_come_back,
		large_transfers_are_exact,
		what_is_not_taken_comes_again_exactly,
		a_stream_resumed_while_it_receives_is_not_paused,
		a_paused_stream_is_not_read_and_not_called,
		the_end_comes_after_all_bytes_were_taken,
		an_end_that_only_listens_still_has_its_reply,
		a_reset_ends_both_directions,
		a_stream_may_be_closed_in_each_callback,
		closing_keeps_what_is_sent_borrowed_until_it_is_over,
		closing_right_after_resuming_waits_for_what_is_sent,
		closing_while_paused_and_before_the_first_wait,
		of_many_connections_one_or_all_may_talk,
		sends_that_follow_each_other_stay_in_order,
		a_large_send_takes_turns,
		a_request_and_its_reply_are_two_system_calls,
		NULL,
	};

	return run_for_backends("io", tests);
}
