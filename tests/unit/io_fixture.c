/* io_fixture.c - ends of connections that do what a test says */
#include "io_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define CLOSED_BYTE 0xa5
#define TOO_LONG_NS (60 * NS_PER_S)

static struct end *end_of(struct io_stream *stream)
{
	return (struct end *)stream;
}

static bool closes_in(struct end *end, enum close_in where)
{
	if (end->close_in != where)
		return false;
	io_stream_close(&end->stream);
	return true;
}

static void echo(struct end *end)
{
	size_t size = end->in_size - end->from_size;

	if (!size || end->out.iov_len)
		return;
	end_send(end, end->in + end->from_size, size);
	end->from_size += size;
}

static size_t some_of(struct end *end, size_t size)
{
	if (end->refuses)
		return 0;
	return end->picky ? (size_t)rand_r(&end->seed) % (size + 1) : size;
}

static size_t received(struct io_stream *stream, const void *data, size_t size)
{
	struct end *end = end_of(stream);
	size_t taken = some_of(end, size);

	ck_assert_uint_ge(size, 1);
	ck_assert_uint_le(size, IO_RECEIVE_MAX);
	ck_assert(!end->ended && !end->closed);
	ck_assert_uint_le(taken, end->in_max - end->in_size);
	end->calls++;
	memcpy(end->in + end->in_size, data, taken);
	end->in_size += taken;
	if (end->greedy)
		io_stream_resume(stream);
	if (!closes_in(end, IN_RECEIVED) && end->echo)
		echo(end);
	return taken;
}

static void ended(struct io_stream *stream, int error)
{
	struct end *end = end_of(stream);

	ck_assert(!end->ended && !end->closed);
	end->ended++;
	end->end_error = error;
	closes_in(end, IN_ENDED);
}

static void sent(struct io_stream *stream, int error)
{
	struct end *end = end_of(stream);
	struct iovec again = end->out;

	ck_assert(!end->closed);
	end->sent++;
	end->sent_error = error;
	end->out.iov_len = 0;
	if (closes_in(end, IN_SENT))
		return;
	if (end->echo)
		echo(end);
	if (end->sends) {
		end->sends--;
		end_send(end, again.iov_base, again.iov_len);
	}
}

static void closed(struct io_stream *stream)
{
	struct end *end = end_of(stream);

	ck_assert(!end->closed);
	end->closed++;
	free(end->in);
	end->in = NULL;
	/* io has no business here any more */
	memset(&end->stream, CLOSED_BYTE, sizeof(end->stream));
}

bool end_untouched(const struct end *end)
{
	const unsigned char *bytes = (const unsigned char *)&end->stream;

	for (size_t i = 0; i < sizeof(end->stream); i++)
		if (bytes[i] != CLOSED_BYTE)
			return false;
	return true;
}

void end_open(struct io *io, struct end *end, int fd, size_t max)
{
	end->stream.received = received;
	end->stream.ended = ended;
	end->stream.sent = sent;
	end->stream.closed = closed;
	end->in_max = max;
	end->in = malloc(max);
	ck_assert_ptr_nonnull(end->in);
	io_stream_open(io, &end->stream, fd);
}

/* In up to three pieces. */
void end_send(struct end *end, const void *data, size_t size)
{
	char *from = (char *)data;
	size_t third = size / 3;
	const struct iovec pieces[] = {
		{ .iov_base = from, .iov_len = third },
		{ .iov_base = from + third, .iov_len = third },
		{ .iov_base = from + 2 * third, .iov_len = size - 2 * third },
	};

	end->out = (struct iovec){ .iov_base = from, .iov_len = size };
	io_stream_send(&end->stream, pieces, 3);
}

void end_close(struct end *end)
{
	struct io *io = end->stream.io;

	if (end->closed)
		return;
	io_stream_close(&end->stream);
	ck_assert(!end->closed);
	TURN_UNTIL(io, end->closed);
}

struct io *io_of(int backend)
{
	struct error err;
	struct io *io;

	ck_assert_msg(!io_create(backend, &err, &io), "%s", err.message);
	ck_assert_str_eq(io_name(io),
			 backend == IO_URING ? "io_uring" : "epoll");
	ck_assert_str_eq(io_fallback(io), "");
	return io;
}

void turn(struct io *io, uint64_t start_ns)
{
	uint64_t now = clock_now_ns();

	ck_assert_msg(now - start_ns < TOO_LONG_NS, "it takes too long");
	io_wait(io, now + 100 * NS_PER_MS);
}

void pair_unix(int fds[2])
{
	ck_assert(!socketpair(AF_UNIX,
			      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			      fds));
}

int listen_tcp(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
	ck_assert(!listen(fd, 1000));
	return fd;
}

int connect_tcp(int listener)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert(!getsockname(listener, (struct sockaddr *)&address, &size));
	ck_assert(!connect(fd, (struct sockaddr *)&address, size));
	return fd;
}

void pair_tcp(int fds[2])
{
	int listener = listen_tcp();

	fds[0] = connect_tcp(listener);
	fds[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ck_assert_int_ge(fds[1], 0);
	close(listener);
}

bool may_have_files(unsigned count)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < count)
		return false;
	if (limit.rlim_cur < count)
		limit.rlim_cur = count;
	return !setrlimit(RLIMIT_NOFILE, &limit);
}

int run_for_backends(const char *name, const TTest *const *tests)
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);
	struct error err;
	struct io *io;
	int first = IO_URING, failed;

	if (io_create(IO_URING, &err, &io)) {
		printf("skip: io_uring: %s\n", err.message);
		first = IO_EPOLL;
	} else {
		io_free(io);
	}
	for (; *tests; tests++) {
		TCase *tcase = tcase_create((*tests)->name);

		tcase_set_timeout(tcase, 120);
		tcase_add_loop_test(tcase, *tests, first, IO_EPOLL + 1);
		suite_add_tcase(suite, tcase);
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
