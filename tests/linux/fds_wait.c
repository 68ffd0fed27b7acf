/* fds_wait.c - epoll, timers, threads and limits: see fds.c. */
#include "fds_common.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static void arm(int timer, long us, long every_us)
{
	const struct itimerspec value = { { 0, every_us * 1000 },
					  { 0, us * 1000 } };

	CHECK(!timerfd_settime(timer, 0, &value, NULL));
}

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void do_timer(void)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct pollfd one = { timer, POLLIN, 0 };
	struct itimerspec value = { { 0, 0 }, { 0, 1000000000 } };
	const long before = now_us();
	uint64_t ticks;

	CHECK(timer > 2);
	FAILS(read(timer, &ticks, 8), EAGAIN);
	arm(timer, 2000, 0);
	CHECK(poll(&one, 1, -1) == 1 && one.revents == POLLIN);
	CHECK(now_us() - before >= 2000);
	CHECK(read(timer, &ticks, 8) == 8 && ticks == 1);
	CHECK(poll(&one, 1, 3) == 0);
	CHECK(!fcntl(timer, F_SETFL, 0));
	arm(timer, 1000, 1000);
	CHECK(read(timer, &ticks, 8) == 8 && ticks >= 1);
	usleep(5000);
	CHECK(read(timer, &ticks, 8) == 8 && ticks >= 4);
	CHECK(!timerfd_gettime(timer, &value));
	CHECK(value.it_interval.tv_nsec == 1000000 && !value.it_value.tv_sec &&
	      value.it_value.tv_nsec <= 1000000);
	arm(timer, 0, 0);
	CHECK(!timerfd_gettime(timer, &value) && !value.it_value.tv_nsec);
	value.it_value.tv_nsec = 1;
	CHECK(!timerfd_settime(timer, TFD_TIMER_ABSTIME, &value, NULL));
	CHECK(read(timer, &ticks, 8) == 8 && ticks == 1);
	value.it_value.tv_nsec = 1000000000;
	FAILS(timerfd_settime(timer, 0, &value, NULL), EINVAL);
	FAILS(timerfd_settime(timer, 8, &value, NULL), EINVAL);
	FAILS(timerfd_gettime(1, &value), EINVAL);
	FAILS(timerfd_gettime(99, &value), EBADF);
	FAILS(syscall(SYS_timerfd_settime, timer, 0, 8, 0), EFAULT);
	FAILS(timerfd_create(77, 0), EINVAL);
	FAILS(read(timer, &ticks, 7), EINVAL);
	puts("good");
}

static int control(int epoll, int operation, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u64 = ~0ul - 1 };

	event.data.u64 -= (uint64_t)fd;
	return epoll_ctl(epoll, operation, fd, &event);
}

/* The events of the only entry; 0: none. */
static uint32_t next(int epoll)
{
	struct epoll_event event = { .events = 0 };
	int n = epoll_wait(epoll, &event, 1, 0);

	CHECK(n == 0 || n == 1);
	return n ? event.events : 0;
}

void do_epoll(void)
{
	int epoll = epoll_create(1), ends[2],
	    file = open("/dev/null", O_RDONLY);
	struct epoll_event events[2];

	CHECK(!pipe(ends));
	CHECK(!control(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN));
	FAILS(control(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN), EEXIST);
	CHECK(next(epoll) == 0 && write(ends[1], "x", 1) == 1);
	CHECK(next(epoll) == EPOLLIN && next(epoll) == EPOLLIN);
	CHECK(!control(epoll, EPOLL_CTL_ADD, ends[1], EPOLLOUT));
	CHECK(epoll_wait(epoll, events, 2, -1) == 2);
	CHECK(events[0].data.u64 == ~0ul - 1 - (uint64_t)ends[0]);
	/* each in its turn */
	CHECK(epoll_wait(epoll, events, 1, -1) == 1);
	CHECK(epoll_wait(epoll, events + 1, 1, -1) == 1);
	CHECK(events[0].data.u64 != events[1].data.u64);
	CHECK(!control(epoll, EPOLL_CTL_DEL, ends[1], 0));
	FAILS(control(epoll, EPOLL_CTL_DEL, ends[1], 0), ENOENT);
	FAILS(control(epoll, EPOLL_CTL_MOD, ends[1], 0), ENOENT);
	CHECK(!control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT));
	CHECK(next(epoll) == EPOLLIN && next(epoll) == 0);
	CHECK(!control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT));
	CHECK(next(epoll) == EPOLLIN && next(epoll) == 0);
	/* an open file is watched until its last descriptor is closed */
	CHECK(!control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN));
	CHECK(dup2(ends[0], 30) == 30 && !close(ends[0]));
	CHECK(next(epoll) == EPOLLIN && !close(30) && next(epoll) == 0);
	FAILS(control(epoll, EPOLL_CTL_ADD, file, EPOLLIN), EPERM);
	FAILS(control(epoll, EPOLL_CTL_ADD, 99, EPOLLIN), EBADF);
	FAILS(control(99, EPOLL_CTL_ADD, 1, EPOLLIN), EBADF);
	FAILS(control(ends[1], EPOLL_CTL_ADD, 1, EPOLLIN), EINVAL);
	FAILS(control(epoll, 9, ends[1], EPOLLIN), EINVAL);
	FAILS(syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, 1, 8), EFAULT);
	FAILS(epoll_wait(epoll, events, 0, 0), EINVAL);
	FAILS(syscall(SYS_epoll_pwait, epoll, events, -1, 0, 0, 8), EINVAL);
	FAILS(epoll_wait(ends[1], events, 1, 0), EINVAL);
	FAILS(epoll_create1(1), EINVAL);
#ifdef SYS_epoll_create
	FAILS(syscall(SYS_epoll_create, 0), EINVAL);
#endif
	CHECK(epoll_wait(epoll, events, 2, 2) == 0);
	puts("good");
}

/* What is edge-triggered is seen once for each change. */
void do_edge(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), ends[2];
	int event = eventfd(0, EFD_NONBLOCK);
	uint64_t value = 1;
	char byte;

	CHECK(!pipe2(ends, O_NONBLOCK));
	CHECK(!control(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLET));
	CHECK(next(epoll) == 0 && write(ends[1], "ab", 2) == 2);
	CHECK(next(epoll) == EPOLLIN && next(epoll) == 0);
	CHECK(read(ends[0], &byte, 1) == 1 && next(epoll) == 0);
	CHECK(write(ends[1], "c", 1) == 1 && next(epoll) == EPOLLIN);
	CHECK(!control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET));
	CHECK(next(epoll) == EPOLLIN && next(epoll) == 0);
	CHECK(!close(ends[1]) && next(epoll) == (EPOLLIN | EPOLLHUP));
	CHECK(next(epoll) == 0 && !close(ends[0]));
	CHECK(!control(epoll, EPOLL_CTL_ADD, event,
		       EPOLLIN | EPOLLOUT | EPOLLET));
	CHECK(next(epoll) == EPOLLOUT && next(epoll) == 0);
	CHECK(write(event, &value, 8) == 8);
	CHECK(next(epoll) == (EPOLLIN | EPOLLOUT) && next(epoll) == 0);
	CHECK(write(event, &value, 8) == 8 && next(epoll));
	CHECK(read(event, &value, 8) == 8 && next(epoll) == EPOLLOUT);
	puts("good");
}

void do_nested(void)
{
	int outer = epoll_create1(0), inner = epoll_create1(0);
	int event = eventfd(1, 0);
	uint64_t value;

	CHECK(!control(outer, EPOLL_CTL_ADD, inner, EPOLLIN));
	CHECK(next(outer) == 0);
	CHECK(!control(inner, EPOLL_CTL_ADD, event, EPOLLIN));
	CHECK(next(outer) == EPOLLIN && next(inner) == EPOLLIN);
	CHECK(poll(&(struct pollfd){ outer, POLLIN, 0 }, 1, 0) == 1);
	CHECK(read(event, &value, 8) == 8 && next(outer) == 0);
	FAILS(control(inner, EPOLL_CTL_ADD, inner, EPOLLIN), EINVAL);
	FAILS(control(inner, EPOLL_CTL_ADD, outer, EPOLLIN), ELOOP);
	/* it may have been watching before it was watched, but no third one */
	CHECK(!control(outer, EPOLL_CTL_DEL, inner, 0));
	CHECK(!control(outer, EPOLL_CTL_ADD, inner, EPOLLIN));
	FAILS(control(epoll_create1(0), EPOLL_CTL_ADD, outer, EPOLLIN), ELOOP);
	FAILS(control(outer, EPOLL_CTL_ADD, epoll_create1(0),
		      EPOLLIN | EPOLLEXCLUSIVE),
	      EINVAL);
	FAILS(control(outer, EPOLL_CTL_ADD, event,
		      EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT),
	      EINVAL);
	CHECK(!control(outer, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLEXCLUSIVE));
	FAILS(control(outer, EPOLL_CTL_MOD, event, EPOLLIN), EINVAL);
	CHECK(!close(inner) && !close(event) && next(outer) == 0);
	/* all that are watched are looked at for each that watches: not many may be */
	for (int i = 0; i < 8; i++)
		CHECK(!control(outer, EPOLL_CTL_ADD, epoll_create1(0),
			       EPOLLIN));
	inner = epoll_create1(0);
	FAILS(control(outer, EPOLL_CTL_ADD, inner, EPOLLIN), EINVAL);
	CHECK(!close(inner - 1));
	CHECK(!control(outer, EPOLL_CTL_ADD, inner, EPOLLIN));
	puts("good");
}

static volatile int handled;

static void on_signal(int signal)
{
	handled += signal;
}

/* A mask that holds for the time of a call lets a signal in. */
void do_masks(void)
{
	struct timespec minute = { 60, 0 };
	struct epoll_event event;
	sigset_t blocked, none, now;
	int epoll = epoll_create1(0);

	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	signal(SIGUSR1, on_signal);
	CHECK(!sigprocmask(SIG_SETMASK, &blocked, NULL));
	raise(SIGUSR1);
	CHECK(!handled);
	FAILS(ppoll(NULL, 0, &minute, &none), EINTR);
	CHECK(handled == SIGUSR1);
	raise(SIGUSR1);
	FAILS(pselect(0, NULL, NULL, NULL, &minute, &none), EINTR);
	CHECK(handled == 2 * SIGUSR1);
	raise(SIGUSR1);
	FAILS(epoll_pwait(epoll, &event, 1, -1, &none), EINTR);
	CHECK(handled == 3 * SIGUSR1);
	CHECK(!sigprocmask(SIG_SETMASK, NULL, &now));
	CHECK(sigismember(&now, SIGUSR1));
	FAILS(syscall(SYS_epoll_pwait, epoll, &event, 1, 0, &none, 4), EINVAL);
	puts("good");
}

#define BYTES 1000000
static int through[2], done_event;

static void *write_all(void *unused)
{
	static char bytes[BYTES];
	const uint64_t one = 1;

	for (int i = 0; i < BYTES; i++)
		bytes[i] = (char)(i * 7 + i / 1000);
	CHECK(write(through[1], bytes, BYTES) == BYTES);
	CHECK(!close(through[1]));
	CHECK(write(done_event, &one, 8) == 8);
	return unused;
}

/* One thread writes more than a pipe holds, and others wait for it. */
void do_threads(void)
{
	int epoll = epoll_create1(0), count = 0, n;
	static char bytes[3001];
	struct epoll_event event;
	pthread_t thread;
	uint64_t value;

	CHECK(!pipe(through) && (done_event = eventfd(0, 0)) > 0);
	CHECK(!control(epoll, EPOLL_CTL_ADD, through[0], EPOLLIN));
	CHECK(!pthread_create(&thread, NULL, write_all, NULL));
	for (;;) {
		CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
		n = (int)read(through[0], bytes, sizeof(bytes));
		CHECK(n >= 0);
		if (!n)
			break;
		for (int i = 0; i < n; i++, count++)
			CHECK(bytes[i] == (char)(count * 7 + count / 1000));
	}
	CHECK(count == BYTES);
	CHECK(read(done_event, &value, 8) == 8 && value == 1);
	CHECK(!pthread_join(thread, NULL));
	puts("good");
}

/* A signal ends a write that has put in a part. */
void do_cut(void)
{
	static char bytes[100000];
	struct itimerval soon = { { 0, 2000 }, { 0, 2000 } };
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = SA_RESTART };
	int ends[2];

	CHECK(!pipe(ends) && !sigaction(SIGALRM, &action, NULL));
	CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
	CHECK(write(ends[1], bytes, sizeof(bytes)) == 65536);
	/* a slow machine may have had more than one by now */
	CHECK(handled && handled % SIGALRM == 0);
	action.sa_flags = 0;
	CHECK(!sigaction(SIGALRM, &action, NULL));
	CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
	FAILS(write(ends[1], bytes, sizeof(bytes)), EINTR);
	puts("good");
}

/* Thaw's own limits. */
void do_limits(void)
{
	int ends[2], count = 0, epoll = -1, event, fd;
	struct rlimit limit;

	CHECK(!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur == 256);
	while (!pipe(ends)) {
		CHECK(fcntl(ends[0], F_SETPIPE_SZ, 1 << 20) == 1 << 20 ||
		      errno == EPERM);
		count++;
	}
	/* one pipe was there; seven have 1 MiB, and 15 are as they were made */
	CHECK(errno == ENFILE && count == 7 + 15);
	for (fd = 6; fd < 256; fd++)
		close(fd);
	for (count = 0; !pipe(ends); count++)
		CHECK(fcntl(ends[0], F_SETPIPE_SZ, 1) == 4096);
	CHECK(errno == EMFILE && count == 125 && dup(1) == -1);
	for (fd = 6; fd < 256; fd++)
		close(fd);
	event = eventfd(0, 0);
	for (fd = 200; fd < 252; fd++)
		CHECK(dup2(event, fd) == fd);
	for (count = 0; count < 1024; count++) {
		if (count % 52 == 0)
			CHECK((epoll = epoll_create1(0)) > 0);
		CHECK(!control(epoll, EPOLL_CTL_ADD, 200 + count % 52,
			       EPOLLIN));
	}
	FAILS(control(epoll, EPOLL_CTL_ADD, event, EPOLLIN), ENOSPC);
	CHECK(!control(epoll, EPOLL_CTL_DEL, 200, EPOLLIN));
	CHECK(!control(epoll, EPOLL_CTL_ADD, event, EPOLLIN));
	puts("good");
}

void do_refused(void)
{
	int ends[2], length = 4;
	socklen_t size = sizeof(length);

	CHECK(!pipe(ends));
	FAILS(socket(AF_UNIX, SOCK_STREAM, 0), EPERM);
	FAILS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), EPERM);
	FAILS(connect(1, NULL, 0), ENOTSOCK);
	FAILS(bind(99, NULL, 0), EBADF);
	FAILS(listen(ends[0], 1), ENOTSOCK);
	FAILS(accept4(ends[0], NULL, NULL, 0), ENOTSOCK);
	FAILS(send(ends[1], "x", 1, 0), ENOTSOCK);
	FAILS(recv(ends[0], &length, 1, 0), ENOTSOCK);
	FAILS(shutdown(1, 2), ENOTSOCK);
	FAILS(getsockopt(1, SOL_SOCKET, SO_TYPE, &length, &size), ENOTSOCK);
	FAILS(splice(ends[0], NULL, ends[1], NULL, 1, 0), EINVAL);
	FAILS(syscall(SYS_sendfile, 1, 0, NULL, 1), EINVAL);
	FAILS(syscall(SYS_copy_file_range, 0, NULL, 1, NULL, 1, 0), EINVAL);
	FAILS(syscall(SYS_ptrace, 0, 0, 0, 0), EPERM);
	FAILS(syscall(SYS_mount, 0, 0, 0, 0, 0), EPERM);
	FAILS(syscall(SYS_bpf, 0, 0, 0), EPERM);
	FAILS(syscall(SYS_perf_event_open, 0, 0, 0, 0, 0), EPERM);
	FAILS(syscall(SYS_userfaultfd, 0), EPERM);
	FAILS(syscall(SYS_fanotify_init, 0, 0), EPERM);
	FAILS(syscall(SYS_inotify_init1, 0), ENOSYS);
	FAILS(syscall(425, 1, 0), ENOSYS); /* io_uring_setup() */
	FAILS(syscall(SYS_signalfd4, -1, 0, 8, 0), ENOSYS);
	puts("good");
}
