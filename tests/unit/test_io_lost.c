/*
 * test_io_lost.c - the kernel had no memory for completions of a ring, and has
 * lost some. Two calls of liburing's are replaced for that: they lose what there
 * is, as often as a test says, and then say what the kernel does.
 */
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "io_fixture.h"

#define LARGE (8 * 1024 * 1024)

static bool loses;
static unsigned lost;

/* Loses all completions there are. Returns -EBADR if there were any. */
static int lose(struct io_uring *ring, int r)
{
	const unsigned count = loses ? io_uring_cq_ready(ring) : 0;

	if (!count)
		return r;
	io_uring_cq_advance(ring, count);
	lost += count;
	loses = false;
	return -EBADR;
}

/* The linker has callers of NAME call __wrap_NAME; __real_NAME is liburing's. */
int __real_io_uring_submit_and_get_events(struct io_uring *ring);
int __wrap_io_uring_submit_and_get_events(struct io_uring *ring);
int __real_io_uring_submit_and_wait_timeout(struct io_uring *ring,
					    struct io_uring_cqe **cqe,
					    unsigned wait,
					    struct __kernel_timespec *timeout,
					    sigset_t *set);
int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *ring,
					    struct io_uring_cqe **cqe,
					    unsigned wait,
					    struct __kernel_timespec *timeout,
					    sigset_t *set);

int __wrap_io_uring_submit_and_get_events(struct io_uring *ring)
{
	return lose(ring, __real_io_uring_submit_and_get_events(ring));
}

int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *ring,
					    struct io_uring_cqe **cqe,
					    unsigned wait,
					    struct __kernel_timespec *timeout,
					    sigset_t *set)
{
	return lose(ring,
		    __real_io_uring_submit_and_wait_timeout(ring, cqe, wait,
							    timeout, set));
}

/* A stream whose client waits for what it has asked for, or sends something. */
static struct end ends[3];
static int clients[3];

static void open_ends(struct io *io)
{
	static char large[LARGE];
	int fds[2];

	for (int i = 0; i < 3; i++) {
		pair_unix(fds);
		clients[i] = fds[1];
		ends[i] = (struct end){ .close_in = NEVER };
		end_open(io, &ends[i], fds[0], 100);
	}
	/* more than the socket takes: the send stays under way */
	end_send(&ends[1], large, sizeof(large));
	io_wait(io, clock_now_ns() + NS_PER_MS);
}

static void close_ends(void)
{
	for (int i = 0; i < 3; i++) {
		end_close(&ends[i]);
		ck_assert(end_untouched(&ends[i]));
		free(ends[i].in);
		close(clients[i]);
	}
}

static void lose_one(struct io *io)
{
	lost = 0;
	loses = true;
	ck_assert_int_eq(write(clients[2], "x", 1), 1);
	TURN_UNTIL(io, !loses);
	ck_assert_uint_ge(lost, 1);
}

START_TEST(streams_end_and_can_be_closed)
{
	struct io *io = io_of(_i);

	open_ends(io);
	lose_one(io);
	TURN_UNTIL(io, ends[0].ended && ends[1].ended && ends[2].ended);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(ends[i].end_error, -ENOBUFS);
	ck_assert_int_eq(ends[1].sent, 1);
	ck_assert_int_eq(ends[1].sent_error, -ENOBUFS);
	close_ends();
	io_free(io);
}
END_TEST

START_TEST(streams_that_are_being_closed_are_closed)
{
	struct io *io = io_of(_i);

	open_ends(io);
	for (int i = 0; i < 3; i++)
		io_stream_close(&ends[i].stream);
	lost = 0;
	loses = true;
	TURN_UNTIL(io, ends[0].closed && ends[1].closed && ends[2].closed);
	ck_assert_uint_ge(lost, 1);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(ends[i].ended + ends[i].sent, 0);
		free(ends[i].in);
		close(clients[i]);
	}
	io_free(io);
}
END_TEST

static int accepted_fd;

static void on_accepted(struct io_listener *listener, int fd)
{
	(void)listener;
	accepted_fd = fd;
}

static void on_failed(struct io_listener *listener, int error)
{
	(void)listener;
	ck_abort_msg("accept: %s", strerror(-error));
}

static unsigned polled;

static void on_ready(struct io_poll *poll)
{
	eventfd_t value;

	polled++;
	eventfd_read(poll->fd, &value);
}

static unsigned delivered;

static void on_delivered(struct io_message *message)
{
	(void)message;
	delivered++;
}

START_TEST(all_else_goes_on)
{
	struct io *io = io_of(_i);
	struct io_listener listener = { .accepted = on_accepted,
					.failed = on_failed };
	struct io_poll poll = { .ready = on_ready };
	struct io_message message = { .deliver = on_delivered };
	const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	const int listening = listen_tcp();
	struct end end = { .echo = true };
	char byte = 0;
	int client;

	accepted_fd = -1;
	io_listener_open(io, &listener, listening);
	ck_assert_int_eq(io_poll_open(io, &poll, fd), 0);
	open_ends(io);
	for (int times = 0; times < 3; times++) {
		lose_one(io);
		TURN_UNTIL(io, ends[0].ended);
		close_ends();
		open_ends(io);
	}
	eventfd_write(fd, 1);
	TURN_UNTIL(io, polled == 1);
	io_post(io, NULL, &message);
	TURN_UNTIL(io, delivered == 1);
	client = connect_tcp(listening);
	TURN_UNTIL(io, accepted_fd >= 0);
	end_open(io, &end, accepted_fd, 100);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(send(client, "y", 1, 0), 1);
		TURN_UNTIL(io, end.sent == i + 1);
		ck_assert_int_eq(recv(client, &byte, 1, 0), 1);
		ck_assert_int_eq(byte, 'y');
	}
	end_close(&end);
	free(end.in);
	close_ends();
	io_free(io);
	close(client);
	close(listening);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("io_lost");
	TCase *group = tcase_create("io_uring");
	struct error err;
	struct io *io;
	SRunner *runner;
	int failed;

	if (io_create(IO_URING, &err, &io)) {
		printf("skip: %s\n", err.message);
		return 77;
	}
	io_free(io);
	tcase_add_loop_test(group, streams_end_and_can_be_closed, IO_URING,
			    IO_URING + 1);
	tcase_add_loop_test(group, streams_that_are_being_closed_are_closed,
			    IO_URING, IO_URING + 1);
	tcase_add_loop_test(group, all_else_goes_on, IO_URING, IO_URING + 1);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
