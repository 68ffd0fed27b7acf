/*
 * test_copies.c - counts how often the bytes of large requests and replies are copied
 * in the server, and who pays for the copies: a request is received to where it stays,
 * and of a reply only what the kernel does not take at once is copied.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "executor/protocol/frame.h"
#include "executor/server/invocation.h"
#include "executor/server/server_limits.h"
#include "tests/unit/server_fixture.h"

#define MIB ((size_t)1 << 20)

/* Smaller copies do not count. */
#define COUNTED_MIN 1024

/* What comes with a head, and how much at a time comes after it. */
#define FIRST 8192
#define PIECE 100000

#define HEAD                                              \
	"POST /function/function HTTP/1.1\r\nHost: a\r\n" \
	"Content-Length: 1048576\r\n"

void *__real_memcpy(void *to, const void *from, size_t size);
void *__wrap_memcpy(void *to, const void *from, size_t size);
void *__real_memmove(void *to, const void *from, size_t size);
void *__wrap_memmove(void *to, const void *from, size_t size);

/* What they are where clang has the address sanitizer look. */
void *__wrap___asan_memcpy(void *to, const void *from, size_t size);
void *__wrap___asan_memmove(void *to, const void *from, size_t size);

/* What memcpy() is where the compiler knows how large @to is. */
void *__wrap___memcpy_chk(void *to, const void *from, size_t size, size_t room);

/* In a program that is linked statically, realloc() copies by the memcpy() below. */
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static size_t copied;
static char bytes[FRAME_HEAD_MAX + MIB];

void *__wrap_memcpy(void *to, const void *from, size_t size)
{
	copied += size >= COUNTED_MIN ? size : 0;
	return __real_memcpy(to, from, size);
}

void *__wrap_memmove(void *to, const void *from, size_t size)
{
	copied += size >= COUNTED_MIN ? size : 0;
	return __real_memmove(to, from, size);
}

void *__wrap___asan_memcpy(void *to, const void *from, size_t size)
{
	return __wrap_memcpy(to, from, size);
}

void *__wrap___asan_memmove(void *to, const void *from, size_t size)
{
	return __wrap_memmove(to, from, size);
}

void *__wrap___memcpy_chk(void *to, const void *from, size_t size, size_t room)
{
	ck_assert_uint_le(size, room);
	return __wrap_memcpy(to, from, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	const size_t before = copied;

	memory = __real_realloc(memory, size);
	copied = before;
	return memory;
}

/* Opens a connection whose other end is there: *@ret_peer. */
static struct io_stream *open_with_peer(enum listener_kind kind, int *ret_peer)
{
	struct io_stream *stream = fixture_open(kind);
	int fds[2];

	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	ck_assert_int_eq(dup2(fds[0], stream->fd), stream->fd);
	close(fds[0]);
	*ret_peer = fds[1];
	return stream;
}

/* What the kernel has taken. */
static size_t taken_by(int peer)
{
	int size;

	ck_assert(!ioctl(peer, FIONREAD, &size));
	return (size_t)size;
}

/* What is left to be sent of what is being sent. */
static size_t left_of(const struct io_stream *stream)
{
	size_t size = 0;

	for (unsigned i = stream->internal.first; i < stream->internal.count;
	     i++)
		size += stream->internal.pieces[i].iov_len;
	return size;
}

/* Bytes of memory that are paid for. */
static size_t kept(void)
{
	return fixture.server->shared.buffers.used -
	       fixture.worker->purse.credit;
}

/* The next run ends where it begins, with so large a reply. */
static void next_reply(size_t size)
{
	fake_engine.is_polled = fake_engine.polls_end = true;
	fake_engine.reply_size = size;
}

/* Sends the @size bytes, most of them to where there is room. */
static void send_request(struct io_stream *stream, size_t size)
{
	size_t sent = FIRST, part;

	ck_assert(fixture_receive(stream, bytes, FIRST));
	for (; size - sent > PIECE; sent += part) {
		part = fixture_fill(stream, bytes + sent, PIECE);
		ck_assert_uint_gt(part, 0);
	}
	while (sent < size) {
		part = fixture_fill(stream, bytes + sent, size - sent);
		if (!part) {
			part = size - sent;
			ck_assert(fixture_receive(stream, bytes + sent, part));
		}
		sent += part;
	}
}

static size_t write_http(const char *more)
{
	char *at = stpcpy(stpcpy(stpcpy(bytes, HEAD), more), "\r\n");

	*at = 'b';
	return (size_t)(at - bytes) + MIB;
}

static size_t write_frame(uint64_t id)
{
	const struct frame_request request = {
		.id = id,
		.function = "function",
		.size = MIB,
	};

	return (size_t)frame_write_request(&request, bytes) + MIB;
}

static void begin(void)
{
	memset(bytes, 'b', sizeof(bytes));
	fixture_begin(1);
}

static void end(int peer)
{
	fixture_end_all();
	fixture_check();
	close(peer);
	fixture_done();
}

/* Of an HTTP request, or of a frame. */
static void check_request(enum listener_kind kind)
{
	/* it is read when it begins, and when it ends */
	const size_t sum = 2 * MIB * 'b';
	struct io_stream *stream;
	int peer;

	begin();
	stream = open_with_peer(kind, &peer);
	next_reply(1);
	copied = 0;
	send_request(stream,
		     kind == LISTENER_HTTP ? write_http("") : write_frame(1));
	/* what came with the head, and a rest that is too small to have room */
	ck_assert_uint_le(copied, FIRST + IO_RECEIVE_MAX);
	fake_engine.sum = 0;
	fixture_turns(0);
	ck_assert_uint_ge(fake_engine.sum, sum);
	ck_assert_uint_le(fake_engine.sum, sum + 2 * INVOCATION_ID_SIZE);
	end(peer);
}

START_TEST(a_large_request_is_received_to_where_it_stays)
{
	check_request(LISTENER_HTTP);
	check_request(LISTENER_SOCKET);
}
END_TEST

static struct io_stream *ask(enum listener_kind kind, size_t size,
			     int *ret_peer)
{
	struct io_stream *stream = open_with_peer(kind, ret_peer);

	next_reply(size);
	send_request(stream,
		     kind == LISTENER_HTTP ? write_http("") : write_frame(1));
	copied = 0;
	fixture_turns(0);
	return stream;
}

/* The vm is free, though the client has taken nothing. */
static void check_slow_client(enum listener_kind kind)
{
	struct io_stream *stream;
	size_t taken;
	int peer;

	begin();
	stream = ask(kind, MIB, &peer);
	taken = taken_by(peer);
	ck_assert_uint_gt(taken, SERVER_REPLY_SMALL);
	ck_assert_uint_lt(taken, MIB);
	ck_assert(stream->internal.sending);
	ck_assert(fake_pool_is_quiet(fixture.deployment->function->pool));
	/* the head is among what was taken, and small */
	ck_assert_uint_ge(copied, MIB - taken);
	ck_assert_uint_le(copied, MIB - taken + COUNTED_MIN);
	ck_assert_uint_eq(left_of(stream), copied);
	/* and the copy is paid for */
	ck_assert_uint_ge(kept(), copied);
	ck_assert_uint_le(kept(), copied + 64 * 1024);
	end(peer);
}

START_TEST(only_what_a_slow_client_leaves_of_a_reply_is_copied)
{
	check_slow_client(LISTENER_HTTP);
	check_slow_client(LISTENER_SOCKET);
}
END_TEST

static void check_quick_client(enum listener_kind kind)
{
	const size_t size = SERVER_REPLY_SMALL + 1;
	struct io_stream *stream;
	int peer;

	begin();
	stream = ask(kind, size, &peer);
	ck_assert_uint_eq(copied, 0);
	ck_assert_uint_gt(taken_by(peer), size);
	ck_assert(!stream->internal.sending);
	ck_assert_uint_eq(kept(), 0);
	/* and it may ask again */
	send_request(stream,
		     kind == LISTENER_HTTP ? write_http("") : write_frame(2));
	fixture_turns(0);
	ck_assert_uint_gt(taken_by(peer), 2 * size);
	end(peer);
}

START_TEST(a_large_reply_that_the_kernel_takes_is_not_copied)
{
	check_quick_client(LISTENER_HTTP);
	check_quick_client(LISTENER_SOCKET);
}
END_TEST

START_TEST(a_small_reply_is_copied_and_sent_with_others)
{
	const unsigned sends = fake_io_sends;
	struct io_stream *stream;
	int peer;

	begin();
	stream = ask(LISTENER_HTTP, SERVER_REPLY_SMALL, &peer);
	ck_assert_uint_eq(copied, SERVER_REPLY_SMALL);
	ck_assert_uint_eq(taken_by(peer), 0);
	ck_assert_uint_eq(fake_io_sends, sends + 1);
	ck_assert(fixture_sent(stream, 0));
	end(peer);
}
END_TEST

/* "100 Continue" is still being sent, so the reply has to wait. */
START_TEST(a_reply_that_cannot_be_sent_yet_is_copied)
{
	struct io_stream *stream;
	int peer;

	begin();
	stream = open_with_peer(LISTENER_HTTP, &peer);
	next_reply(MIB);
	send_request(stream, write_http("Expect: 100-continue\r\n"));
	copied = 0;
	fixture_turns(0);
	ck_assert_uint_eq(copied, MIB);
	ck_assert_uint_eq(taken_by(peer), 0);
	ck_assert(fake_pool_is_quiet(fixture.deployment->function->pool));
	ck_assert(fixture_sent(stream, 0));
	ck_assert_uint_gt(left_of(stream), MIB);
	ck_assert(fixture_sent(stream, 0));
	end(peer);
}
END_TEST

/* The first one is being sent, so the second one has to wait. */
START_TEST(replies_of_one_client_do_not_overtake_each_other)
{
	struct io_stream *stream;
	size_t taken;
	int peer;

	begin();
	stream = ask(LISTENER_SOCKET, MIB, &peer);
	taken = taken_by(peer);
	next_reply(MIB);
	send_request(stream, write_frame(2));
	copied = 0;
	fixture_turns(0);
	ck_assert_uint_eq(copied, MIB);
	ck_assert_uint_eq(taken_by(peer), taken);
	ck_assert(fake_pool_is_quiet(fixture.deployment->function->pool));
	/* its head, and then its data */
	ck_assert(fixture_sent(stream, 0));
	ck_assert_uint_le(left_of(stream), FRAME_HEAD_MAX);
	ck_assert(fixture_sent(stream, 0));
	ck_assert_uint_eq(left_of(stream), MIB);
	ck_assert(fixture_sent(stream, 0));
	ck_assert(!stream->internal.sending);
	end(peer);
}
END_TEST

/* A client only announces a lot, or there is no memory for it. */
START_TEST(a_request_that_has_no_room_is_taken_as_before)
{
	struct io_stream *stream;
	int peer;

	begin();
	stream = open_with_peer(LISTENER_HTTP, &peer);
	write_http("");
	/* nothing but the head, and then too little */
	ck_assert(fixture_receive(stream, bytes, strlen(HEAD) + 2));
	ck_assert_uint_eq(fixture_fill(stream, bytes, PIECE), 0);
	ck_assert(fixture_receive(stream, "b", 1));
	ck_assert_uint_eq(fixture_fill(stream, bytes, PIECE), 0);
	fixture_end(stream, 0);
	fixture_turns(0);
	end(peer);
	begin();
	stream = open_with_peer(LISTENER_HTTP, &peer);
	/* there is no memory for what it would take */
	fixture.server->shared.buffers.max = 64 * 1024;
	write_http("");
	ck_assert(fixture_receive(stream, bytes, FIRST));
	ck_assert_uint_le(fixture_fill(stream, bytes, PIECE), 64 * 1024);
	while (fixture_fill(stream, bytes, PIECE))
		;
	ck_assert(fixture_receive(stream, bytes, PIECE));
	ck_assert(stream->internal.sending);
	ck_assert(fixture_sent(stream, 0));
	end(peer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("copies");
	TCase *tests = tcase_create("copies");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_large_request_is_received_to_where_it_stays);
	tcase_add_test(tests,
		       only_what_a_slow_client_leaves_of_a_reply_is_copied);
	tcase_add_test(tests,
		       a_large_reply_that_the_kernel_takes_is_not_copied);
	tcase_add_test(tests, a_small_reply_is_copied_and_sent_with_others);
	tcase_add_test(tests, a_reply_that_cannot_be_sent_yet_is_copied);
	tcase_add_test(tests, replies_of_one_client_do_not_overtake_each_other);
	tcase_add_test(tests, a_request_that_has_no_room_is_taken_as_before);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
