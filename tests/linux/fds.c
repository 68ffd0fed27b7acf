/*
 * fds.c - a Linux program for tests/contract/test_linux_fds.c, about descriptors that are
 * no files. It knows nothing of thaw: run by Linux it prints the same, but for what is
 * refused. It reads a command with a number, and does what the command says.
 */
#include "fds_common.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

long number;

/* Made before the snapshot: a pipe that holds "kept", an event of 5, an epoll of both. */
static int kept_pipe[2], kept_event, kept_epoll;

void expect_error(long result, int error, int line)
{
	if (result != -1 || errno != error) {
		printf("line %d: %ld (errno %d, not %d)\n", line, result, errno,
		       error);
		exit(0);
	}
}

static void do_pipe(void)
{
	char bytes[8];
	int ends[2], left;

	CHECK(!pipe(ends) && ends[1] == ends[0] + 1);
	CHECK(write(ends[1], "abcdef", 6) == 6);
	CHECK(!ioctl(ends[0], FIONREAD, &left) && left == 6);
	CHECK(read(ends[0], bytes, 4) == 4 && !memcmp(bytes, "abcd", 4));
	CHECK(read(ends[0], bytes, 8) == 2 && !memcmp(bytes, "ef", 2));
	CHECK(read(ends[0], bytes, 0) == 0);
	FAILS(read(ends[1], bytes, 1), EBADF);
	FAILS(write(ends[0], bytes, 1), EBADF);
	FAILS(lseek(ends[0], 0, SEEK_CUR), ESPIPE);
	FAILS(pread(ends[0], bytes, 1, 0), ESPIPE);
	FAILS(pwrite(ends[1], bytes, 1, 0), ESPIPE);
	FAILS(ftruncate(ends[1], 0), EINVAL);
	CHECK(!fcntl(ends[0], F_SETFL, O_NONBLOCK));
	CHECK(fcntl(ends[0], F_GETFL) == (O_RDONLY | O_NONBLOCK));
	FAILS(read(ends[0], bytes, 1), EAGAIN);
	CHECK(write(ends[1], "x", 1) == 1 && !close(ends[1]));
	CHECK(read(ends[0], bytes, 8) == 1 && read(ends[0], bytes, 8) == 0);
	CHECK(read(ends[0], bytes, 8) == 0 && !close(ends[0]));
	FAILS(syscall(SYS_pipe2, ends, 1), EINVAL);
	FAILS(syscall(SYS_pipe2, 8, 0), EFAULT);
	CHECK(dup(1) == ends[0] && !close(ends[0]));
	puts("good");
}

/* Writes of PIPE_BUF bytes are whole; larger ones need not be. */
static void do_atomic(void)
{
	static char bytes[1 << 17];
	struct iovec parts[2] = { { bytes, 4000 }, { bytes, 96 } };
	int ends[2];

	CHECK(!pipe2(ends, O_NONBLOCK | O_CLOEXEC));
	CHECK(fcntl(ends[1], F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(ends[0], F_GETPIPE_SZ) == 65536);
	CHECK(write(ends[1], bytes, 65536 - 4095) == 65536 - 4095);
	FAILS(write(ends[1], bytes, 4096), EAGAIN);
	FAILS(writev(ends[1], parts, 2), EAGAIN);
	CHECK(read(ends[0], bytes, 4096) == 4096);
	CHECK(writev(ends[1], parts, 2) == 4096);
	CHECK(read(ends[0], bytes, 1 << 17) == 65536 - 4095);
	CHECK(write(ends[1], bytes, 1 << 17) == 65536);
	FAILS(write(ends[1], bytes, 1 << 17), EAGAIN);
	FAILS(fcntl(ends[1], F_SETPIPE_SZ, 4096), EBUSY);
	CHECK(fcntl(ends[1], F_SETPIPE_SZ, 65537) == 131072);
	CHECK(write(ends[1], bytes, 65536) == 65536);
	CHECK(read(ends[0], bytes, 1 << 17) == 1 << 17);
	CHECK(fcntl(ends[1], F_SETPIPE_SZ, 1) == 4096);
	CHECK(write(ends[1], bytes, 8192) == 4096);
	FAILS(fcntl(1, F_SETFD + 1000, 0), EINVAL);
	FAILS(fcntl(ends[0], F_SETPIPE_SZ, (1 << 20) + 1), EPERM);
	puts("good");
}

/* Bytes go round in the pipe's memory. */
static void do_round(void)
{
	char in[3000], out[3000];
	unsigned char next_in = 0, next_out = 0;
	int ends[2];

	CHECK(!pipe(ends) && fcntl(ends[0], F_SETPIPE_SZ, 4096) == 4096);
	for (int i = 0; i < 1000; i++) {
		const int size = 1 + i * 7 % 3000;
		int n;

		for (int k = 0; k < size; k++)
			in[k] = (char)next_in++;
		CHECK(write(ends[1], in, (size_t)size) == size);
		for (int done = 0; done < size; done += n) {
			n = (int)read(ends[0], out, 1700);
			CHECK(n > 0);
			for (int k = 0; k < n; k++)
				CHECK((unsigned char)out[k] == next_out++);
		}
	}
	puts("good");
}

static volatile int broken;

static void on_broken(int signal)
{
	broken += signal;
}

static void do_broken(void)
{
	int ends[2];

	CHECK(!pipe(ends) && !close(ends[0]));
	signal(SIGPIPE, SIG_IGN);
	FAILS(write(ends[1], "x", 1), EPIPE);
	signal(SIGPIPE, on_broken);
	FAILS(write(ends[1], "x", 1), EPIPE);
	CHECK(broken == SIGPIPE);
	CHECK(write(ends[1], "x", 0) == 0 && broken == SIGPIPE);
	signal(SIGPIPE, SIG_DFL);
	if (number)
		write(ends[1], "x", 1);
	puts("good");
}

static void do_event(void)
{
	uint64_t value = 3, many[4];
	int event = eventfd(2, EFD_NONBLOCK);
	int semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);

	CHECK(event > 2 && fcntl(semaphore, F_GETFD) == FD_CLOEXEC);
	CHECK(write(event, &value, 8) == 8);
	CHECK(read(event, &value, 8) == 8 && value == 5);
	FAILS(read(event, &value, 8), EAGAIN);
	CHECK(read(semaphore, many, sizeof(many)) == 8 && many[0] == 1);
	CHECK(read(semaphore, &value, 8) == 8 && value == 1);
	FAILS(read(semaphore, &value, 8), EAGAIN);
	FAILS(read(event, &value, 7), EINVAL);
	FAILS(write(event, &value, 7), EINVAL);
	value = UINT64_MAX;
	FAILS(write(event, &value, 8), EINVAL);
	value = UINT64_MAX - 1;
	CHECK(write(event, &value, 8) == 8);
	value = 1;
	FAILS(write(event, &value, 8), EAGAIN);
	value = 0;
	CHECK(write(event, &value, 8) == 8);
	CHECK(read(event, &value, 8) == 8 && value == UINT64_MAX - 1);
	FAILS(syscall(SYS_eventfd2, 0, 2), EINVAL);
	FAILS(syscall(SYS_write, event, 8, 8), EFAULT);
	puts("good");
}

static short poll_one(int fd, short events)
{
	struct pollfd one = { fd, events, 0 };

	CHECK(poll(&one, 1, 0) >= 0);
	return one.revents;
}

static void do_poll(void)
{
	struct pollfd fds[2] = { { -1, POLLIN, 7 }, { 99, POLLIN, 0 } };
	struct timespec tick = { 0, 2000000 }, wrong = { 0, 1000000000 };
	int ends[2];
	char byte;

	CHECK(!pipe(ends));
	CHECK(poll_one(ends[0], POLLIN) == 0);
	CHECK(poll_one(ends[1], POLLOUT) == POLLOUT);
	CHECK(poll_one(ends[1], POLLIN) == 0);
	CHECK(write(ends[1], "x", 1) == 1);
	CHECK(poll_one(ends[0], POLLIN | POLLRDNORM) == (POLLIN | POLLRDNORM));
	CHECK(!close(ends[1]));
	CHECK(poll_one(ends[0], POLLIN) == (POLLIN | POLLHUP));
	CHECK(read(ends[0], &byte, 1) == 1);
	CHECK(poll_one(ends[0], POLLIN) == POLLHUP && poll_one(ends[0], 0));
	CHECK(!close(ends[0]) && !pipe(ends) && !close(ends[0]));
	CHECK(poll_one(ends[1], POLLOUT) == (POLLOUT | POLLERR));
	CHECK(poll(fds, 2, 1000) == 1 && fds[0].revents == 0 &&
	      fds[1].revents == POLLNVAL);
	CHECK(poll(fds, 1, 2) == 0);
	CHECK(ppoll(NULL, 0, &tick, NULL) == 0);
	FAILS(syscall(SYS_ppoll, NULL, 0, &wrong, NULL, 8), EINVAL);
	FAILS(syscall(SYS_ppoll, fds, 1ul << 31, &tick, NULL, 8), EINVAL);
	FAILS(syscall(SYS_ppoll, 8, 1, &tick, NULL, 8), EFAULT);
	FAILS(syscall(SYS_ppoll, fds, 1, &tick, &wrong, 4), EINVAL);
	FAILS(syscall(SYS_ppoll, fds, 1, 8, NULL, 8), EFAULT);
	puts("good");
}

static void do_select(void)
{
	struct timeval tick = { 0, 2000 };
	struct timespec left = { 0, 2000000 };
	struct timespec none = { 0, 0 };
	fd_set in, out, other;
	int ends[2];

	CHECK(!pipe(ends));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&other);
	FD_SET(ends[0], &in);
	FD_SET(ends[1], &out);
	FD_SET(ends[1], &other);
	CHECK(select(ends[1] + 1, &in, &out, &other, NULL) == 1);
	CHECK(!FD_ISSET(ends[0], &in) && FD_ISSET(ends[1], &out) &&
	      !FD_ISSET(ends[1], &other));
	FD_SET(ends[0], &in);
	CHECK(select(ends[1] + 1, &in, NULL, NULL, &tick) == 0);
	CHECK(!FD_ISSET(ends[0], &in));
	CHECK(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &left, NULL) == 0);
	CHECK(!left.tv_sec && !left.tv_nsec);
	CHECK(write(ends[1], "x", 1) == 1);
	FD_SET(ends[0], &in);
	CHECK(pselect(ends[0] + 1, &in, NULL, NULL, &none, NULL) == 1);
	CHECK(FD_ISSET(ends[0], &in) && !close(ends[1]));
	FD_SET(ends[1], &in);
	FAILS(select(ends[1] + 1, &in, NULL, NULL, NULL), EBADF);
	FAILS(syscall(SYS_pselect6, -1, NULL, NULL, NULL, NULL, NULL), EINVAL);
	FAILS(syscall(SYS_pselect6, 64, 8, NULL, NULL, NULL, NULL), EFAULT);
	FAILS(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, 8), EFAULT);
	puts("good");
}

/* The end of standard input is final, and seen again and again. */
static void do_end(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	fd_set set;
	int epoll = epoll_create1(0), left = 1;
	char bytes[8];

	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event));
	for (int i = 0; i < 3; i++) {
		FD_ZERO(&set);
		FD_SET(0, &set);
		CHECK(select(1, &set, NULL, NULL, NULL) == 1);
		CHECK(FD_ISSET(0, &set));
		CHECK(poll_one(0, POLLIN) & (POLLIN | POLLHUP));
		CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
		CHECK(event.events & (EPOLLIN | EPOLLHUP));
		CHECK(read(0, bytes, 8) == 0);
		CHECK(!ioctl(0, FIONREAD, &left) && left == 0);
	}
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 0, 0) == MAP_FAILED);
	CHECK(errno == ENODEV);
	puts("good");
}

/* What was there before the snapshot, each time. */
static void do_kept(void)
{
	struct epoll_event events[4];
	char bytes[8];
	uint64_t value;
	int n;

	n = epoll_wait(kept_epoll, events, 4, 0);
	CHECK(n == 2 && events[0].data.u32 == 1 && events[1].data.u32 == 2);
	CHECK(read(kept_pipe[0], bytes, 8) == 4 && !memcmp(bytes, "kept", 4));
	CHECK(read(kept_event, &value, 8) == 8 && value == 5);
	CHECK(write(kept_pipe[1], "other bytes", 11) == 11);
	CHECK(epoll_wait(kept_epoll, events, 4, 0) == 1);
	CHECK(!epoll_ctl(kept_epoll, EPOLL_CTL_DEL, kept_pipe[0], NULL));
	CHECK(!close(kept_event));
	if (number)
		CHECK(!close(kept_pipe[0]) && !close(kept_pipe[1]));
	puts("good");
}

static void do_descriptors(void)
{
	struct flock lock = { .l_type = F_WRLCK };
	int on = 1, fd = fcntl(1, F_DUPFD, 40);
	struct stat status;
	struct winsize size;
	char byte;

	CHECK(fd == 40 && dup2(fd, 41) == 41 && dup3(1, 42, O_CLOEXEC) == 42);
	CHECK(fcntl(42, F_GETFD) == FD_CLOEXEC && !fcntl(42, F_SETFD, 0));
	CHECK(fcntl(1, F_DUPFD_CLOEXEC, 40) == 43);
	CHECK(!ioctl(40, FIOCLEX) && fcntl(40, F_GETFD) == FD_CLOEXEC);
	CHECK(!ioctl(40, FIONCLEX) && fcntl(40, F_GETFD) == 0);
	CHECK(!ioctl(40, FIONBIO, &on) && (fcntl(1, F_GETFL) & O_NONBLOCK));
	on = 0;
	CHECK(!ioctl(1, FIONBIO, &on) && !(fcntl(40, F_GETFL) & O_NONBLOCK));
	CHECK(!syscall(SYS_close_range, 41, 42, 4));
	CHECK(fcntl(41, F_GETFD) == FD_CLOEXEC);
	CHECK(!syscall(SYS_close_range, 41, ~0u, 0));
	FAILS(fcntl(41, F_GETFD), EBADF);
	FAILS(syscall(SYS_close_range, 2, 1, 0), EINVAL);
	FAILS(syscall(SYS_close_range, 50, 51, 8), EINVAL);
	FAILS(dup3(1, 1, 0), EINVAL);
	FAILS(fcntl(1, F_DUPFD, 1 << 20), EINVAL);
	FAILS(ioctl(1, TIOCGWINSZ, &size), ENOTTY);
	FAILS(ioctl(99, TIOCGWINSZ, &size), EBADF);
	FAILS(fcntl(1, F_GETLK, 8), EFAULT);
	CHECK(!fcntl(1, F_GETLK, &lock) && lock.l_type == F_UNLCK);
	CHECK(!fstat(eventfd(0, 0), &status) && status.st_mode == 0600);
	CHECK(!fstat(1, &status) && S_ISFIFO(status.st_mode));
	FAILS(read(epoll_create1(0), &byte, 1), EINVAL);
	puts("good");
}

/* Lists of buffers are checked as a whole. */
static void do_vectors(void)
{
	static struct iovec many[1025];
	struct iovec parts[3] = { { "ab", 2 }, { NULL, 0 }, { "cde", 3 } };
	struct iovec wrong[2] = { { "ab", 2 }, { "x", 1ul << 63 } };
	struct iovec holed[2] = { { "ab", 2 }, { (void *)8, 2 } };
	char bytes[8] = "";
	int ends[2];

	CHECK(!pipe2(ends, O_NONBLOCK));
	for (int i = 0; i < 1025; i++)
		many[i] = (struct iovec){ "x", 1 };
	CHECK(writev(ends[1], parts, 3) == 5);
	parts[0].iov_base = bytes + 3;
	parts[2].iov_base = bytes;
	CHECK(readv(ends[0], parts, 3) == 5 && !memcmp(bytes, "cdeab", 5));
	CHECK(writev(ends[1], many, 1024) == 1024);
	FAILS(syscall(SYS_writev, ends[1], many, 1025), EINVAL);
	FAILS(syscall(SYS_writev, ends[1], many, (1ul << 63) + 1025), EINVAL);
	FAILS(syscall(SYS_writev, ends[1], wrong, 2), EINVAL);
	FAILS(syscall(SYS_writev, ends[1], 8, 2), EFAULT);
	FAILS(syscall(SYS_writev, ends[1], holed + 1, 1), EFAULT);
	FAILS(syscall(SYS_writev, 99, parts, 3), EBADF);
	CHECK(syscall(SYS_writev, ends[1], 8, 0) == 0);
	CHECK(writev(ends[1], holed, 2) == 2 || errno == EFAULT);
	FAILS(syscall(SYS_preadv2, ends[0], parts, 3, -1l, 0, 1 << 20),
	      EOPNOTSUPP);
	FAILS(syscall(SYS_preadv, ends[0], parts, 3, -1l, -1l), EINVAL);
	puts("good");
}

/* Writes more than a pipe holds, and nobody reads. */
static void do_stuck(void)
{
	static char bytes[100000];
	int ends[2];

	CHECK(!pipe(ends));
	if (number == 0)
		write(ends[1], bytes, sizeof(bytes));
	else if (number == 1)
		read(ends[0], bytes, 1);
	else if (number == 2)
		poll(&(struct pollfd){ ends[0], POLLIN, 0 }, 1, -1);
	else
		epoll_wait(epoll_create1(0), (struct epoll_event *)bytes, 1,
			   -1);
}

static const struct {
	const char *name;
	void (*run)(void);
} commands[] = {
	{ "pipe", do_pipe },	   { "atomic", do_atomic },
	{ "round", do_round },	   { "broken", do_broken },
	{ "event", do_event },	   { "poll", do_poll },
	{ "select", do_select },   { "end", do_end },
	{ "kept", do_kept },	   { "descriptors", do_descriptors },
	{ "vectors", do_vectors }, { "stuck", do_stuck },
	{ "timer", do_timer },	   { "epoll", do_epoll },
	{ "edge", do_edge },	   { "nested", do_nested },
	{ "masks", do_masks },	   { "threads", do_threads },
	{ "cut", do_cut },	   { "limits", do_limits },
	{ "refused", do_refused },
};

static void set_up(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	uint64_t value = 5;

	CHECK(!pipe2(kept_pipe, O_NONBLOCK));
	kept_event = eventfd(0, EFD_NONBLOCK);
	kept_epoll = epoll_create1(0);
	CHECK(write(kept_pipe[1], "kept", 4) == 4);
	CHECK(write(kept_event, &value, 8) == 8);
	event.data.u32 = 1;
	CHECK(!epoll_ctl(kept_epoll, EPOLL_CTL_ADD, kept_pipe[0], &event));
	event.data.u32 = 2;
	CHECK(!epoll_ctl(kept_epoll, EPOLL_CTL_ADD, kept_event, &event));
}

/* Asks for the request in the way that @how names. */
static void ask(const char *how)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct iovec part = { &event, 0 };
	int epoll, left;
	fd_set set;

	FD_ZERO(&set);
	FD_SET(0, &set);
	if (!strcmp(how, "poll"))
		CHECK(poll_one(0, POLLIN) & POLLIN);
	if (!strcmp(how, "select"))
		CHECK(select(1, &set, NULL, NULL, NULL) == 1);
	if (!strcmp(how, "fionread"))
		CHECK(!ioctl(0, FIONREAD, &left) && left > 0);
	if (!strcmp(how, "mmap"))
		CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 0, 0) ==
		      MAP_FAILED);
	if (!strcmp(how, "readv"))
		CHECK(readv(0, &part, 1) == 0);
	if (!strcmp(how, "preadv2"))
		CHECK(syscall(SYS_preadv2, 0, &part, 1, -1l, -1l, 0) == 0);
	if (strcmp(how, "epoll"))
		return;
	epoll = epoll_create1(0);
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event));
	CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
	CHECK(event.events & EPOLLIN);
}

int main(int argc, char **argv)
{
	char input[64] = "";
	size_t size = 0;

	set_up();
	ask(argc > 1 ? argv[1] : "");
	for (ssize_t n = 1; n > 0; size += (size_t)n)
		n = read(0, input + size, sizeof(input) - 1 - size);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const size_t length = strlen(commands[i].name);

		if (strncmp(input, commands[i].name, length) ||
		    (input[length] && input[length] != ' '))
			continue;
		number = strtol(input + length, NULL, 0);
		commands[i].run();
		return 0;
	}
	return 6;
}
