/*
 * shim.c - a Linux program for tests/contract/test_linux_shim.c: system calls that the
 * shim answers, and programs that spoil the shim's state. The request is a command and a
 * number.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <call_sites.h>

#include "guest/abi/thaw_shim.h"

#define LINE 64

static char input[256];
long number;

/* Lines of one length, in @number writes; a line of the log for each tenth. */
static void do_writes(void)
{
	for (long i = 0; i < number; i++) {
		char line[LINE + 1];

		snprintf(line, sizeof(line), "%*ld\n", LINE - 1, i);
		CHECK(write(1, line, LINE) == LINE);
		if (i % 10 == 0)
			CHECK(write(2, line, LINE) == LINE);
	}
}

static void do_writev(void)
{
	const struct iovec parts[] = { { "a", 1 }, { NULL, 0 }, { "bc\n", 3 } };
	const struct iovec wild[] = { { "a", 1 }, { (void *)8, 3 } };

	CHECK(writev(1, parts, 3) == 4);
	CHECK(writev(1, parts, 0) == 0);
	CHECK(writev(1, wild, 2) == 1);
	CHECK(syscall(SYS_writev, 1, 16, 1) == -1 && errno == EFAULT);
	CHECK(writev(7, parts, 1) == -1 && errno == EBADF);
}

/* What the first read has left of the request, byte by byte. */
static void do_rest(void)
{
	char c;

	while (read(0, &c, 1) == 1)
		CHECK(write(1, &c, 1) == 1);
	CHECK(read(0, &c, 1) == 0);
	CHECK(syscall(SYS_read, 0, 8, 1) == 0);
}

static void do_files(void)
{
	struct stat status, again;
	struct termios terminal;
	int fd;

	CHECK(!fstat(0, &status) && S_ISFIFO(status.st_mode));
	CHECK(!syscall(SYS_newfstatat, 1, "", &again, 0x1000));
	CHECK(S_ISFIFO(again.st_mode) && again.st_ino != status.st_ino);
	CHECK(syscall(SYS_fstat, 0, 8) == -1 && errno == EFAULT);
	CHECK(ioctl(1, TCGETS, &terminal) == -1 && errno == ENOTTY);
	CHECK(lseek(0, 0, SEEK_CUR) == -1 && errno == ESPIPE);
	CHECK(!close(0) && read(0, input, 1) == -1 && errno == EBADF);
	CHECK(close(0) == -1 && errno == EBADF);
	fd = dup(1);
	CHECK(fd == 0 && write(0, "dup ", 4) == 4);
	CHECK(!close(1) && write(1, "no", 2) == -1 && errno == EBADF);
	CHECK(write(0, "good\n", 5) == 5);
}

static void do_memory(void)
{
	char *top = (char *)syscall(SYS_brk, 0), *a, *b;

	for (int i = 1; i < 20; i++) {
		CHECK(syscall(SYS_brk, top + i * PAGE) ==
		      (long)(top + i * PAGE));
		CHECK(!top[i * PAGE - 1]);
		memset(top, i, (size_t)i * PAGE);
	}
	CHECK(syscall(SYS_brk, top) == (long)top);
	CHECK(syscall(SYS_brk, top + PAGE) == (long)(top + PAGE) && !top[0]);
	for (int i = 0; i < 100; i++) {
		a = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(a != MAP_FAILED && !a[0] && !a[3 * PAGE - 1]);
		memset(a, 1, 3 * PAGE);
		CHECK(read(0, a, PAGE) == 0);
		if (i % 2)
			CHECK(!munmap(a, 3 * PAGE));
	}
	a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(!mprotect(a, PAGE, PROT_READ));
	CHECK(read(0, a, 1) == 0 && a[0] == 0);
	b = mmap(a, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(b == a && munmap(a, 0) == -1 && errno == EINVAL);
	CHECK(munmap(a + 1, PAGE) == -1 && errno == EINVAL);
	CHECK(mmap(NULL, 1ul << 45, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	puts("good");
}

static void do_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN }, old;
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(!sigprocmask(SIG_BLOCK, &set, &before));
	CHECK(!sigismember(&before, SIGUSR1));
	CHECK(!sigprocmask(SIG_UNBLOCK, &set, &before));
	CHECK(sigismember(&before, SIGUSR1));
	CHECK(!sigaction(SIGUSR2, &action, &old) && old.sa_handler == SIG_DFL);
	CHECK(!sigaction(SIGUSR2, NULL, &old) && old.sa_handler == SIG_IGN);
	CHECK(sigaction(SIGKILL, &action, NULL) == -1 && errno == EINVAL);
	/* the host knows of it: the signal does nothing */
	CHECK(!kill(getpid(), SIGUSR2));
	puts("good");
}

/* Library and system call agree, and time goes on. */
/* Random bytes in hexadecimal. */
static void do_random(void)
{
	unsigned char bytes[16];

	CHECK(getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		dprintf(1, "%02x", bytes[i]);
}

static void do_clocks(void)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC,
					    CLOCK_BOOTTIME,
					    CLOCK_PROCESS_CPUTIME_ID };
	struct timespec now;

	for (unsigned i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		struct timespec a, b, c;

		CHECK(!clock_gettime(clocks[i], &a));
		CHECK(!syscall(SYS_clock_gettime, clocks[i], &b));
		CHECK(!clock_gettime(clocks[i], &c));
		CHECK(a.tv_sec < b.tv_sec ||
		      (a.tv_sec == b.tv_sec && a.tv_nsec <= b.tv_nsec));
		CHECK(b.tv_sec < c.tv_sec ||
		      (b.tv_sec == c.tv_sec && b.tv_nsec <= c.tv_nsec));
		CHECK(c.tv_sec - a.tv_sec <= 1);
	}
	CHECK(clock_gettime(1000, (struct timespec *)input) == -1 &&
	      errno == EINVAL);
	CHECK(!clock_gettime(CLOCK_MONOTONIC, &now));
	dprintf(1, "%ld %ld", (long)time(NULL), (long)now.tv_sec);
}

/* Fills all that the shim keeps with @number, and then makes calls. */
static void do_spoil(void)
{
	struct thaw_shim *shim = (struct thaw_shim *)THAW_GPA_SHIM;
	uint64_t *words = (uint64_t *)&shim->input_used;
	const size_t count =
		(sizeof(*shim) - offsetof(struct thaw_shim, input_used)) / 8;
	static const uint64_t values[] = {
		UINT64_MAX, 1,	     0x8000, 0x7fffffffffffffff,
		0x400000,   0x10000, 0xfff,  UINT64_MAX - 0xfff,
		0x1000001,
	};
	const uint64_t value =
		values[(unsigned long)number % (sizeof(values) / 8)];
	const size_t first = (size_t)number / (sizeof(values) / 8);

	/* one word alone, or from one on */
	for (size_t i = first % count; i < count; i++) {
		words[i] = value;
		if (first >= count)
			break;
	}
	syscall(SYS_sched_yield);
	use_files();
	memset((void *)THAW_GPA_ACTIONS, 0xff, PAGE);
	shim->changed_actions = UINT64_MAX;
	syscall(SYS_sched_yield);
	syscall(SYS_brk, 0);
	syscall(SYS_munmap, 0x10000, 0x1000);
	syscall(SYS_write, 1, "spoiled", 7);
}

/* Jumps to anywhere in thaw's own pages. */
static void do_jump(void)
{
	static const uint64_t pages[] = { THAW_GPA_VDSO, THAW_GPA_VDSO + PAGE,
					  THAW_GPA_SITES, THAW_GPA_STUB,
					  THAW_GPA_OUTPUT };
	const uint64_t page = pages[(unsigned long)number % 5];

	((void (*)(long, long, long))(
		uintptr_t)(page + (unsigned long)number / 5 % PAGE))(1, 2, 3);
}

/* Whether registers are as they should be after calls, in changed places of code. */
static void do_sites(void)
{
	CHECK(call_sites_are_good());
	CHECK(end_jumps());
	puts("good");
}

static const struct {
	const char *name;
	void (*run)(void);
} commands[] = {
	{ "writes", do_writes },   { "writev", do_writev },
	{ "rest", do_rest },	   { "files", do_files },
	{ "memory", do_memory },   { "signals", do_signals },
	{ "clocks", do_clocks },   { "spoil", do_spoil },
	{ "jump", do_jump },	   { "sites", do_sites },
	{ "read", do_read },	   { "seek", do_seek },
	{ "share", do_share },	   { "replace", do_replace },
	{ "threads", do_threads }, { "handler", do_handler },
	{ "wild", do_wild },	   { "page", do_write_page },
	{ "sum", do_sum },	   { "random", do_random },
};

/* What it has called before its snapshot is changed there: see do_sites(). */
static void prepare(void)
{
	CHECK(call_sites_are_good());
	if (write(2, "ready\n", 6) != 6)
		exit(1);
}

static volatile int is_handled;
static int zeros;

static void on_alarm(int signal)
{
	const struct itimerval none = { { 0, 0 }, { 0, 0 } };

	(void)signal;
	setitimer(ITIMER_REAL, &none, NULL);
	/* the timer may have expired twice */
	if (read(0, input, 32) > 0)
		is_handled = 1;
}

/* Is frozen in a handler that has interrupted what makes the same call. */
static int read_in_handler(void)
{
	const struct itimerval soon = { { 0, 1000 }, { 0, 1000 } };
	char c;

	zeros = open("/dev/zero", O_RDONLY);
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &soon, NULL);
	while (!is_handled)
		if (read(zeros, &c, 1) != 1)
			return 1;
	puts("good");
	return 0;
}

static volatile int is_asked;
static uint64_t main_mask;

/* Ends the program, with a mask of its own. */
static void *end_program(void *unused)
{
	(void)unused;
	while (!is_asked)
		sched_yield();
	printf("mask %d\n", main_mask != 0);
	fflush(stdout);
	syscall(SYS_exit_group, 0);
	return NULL;
}

static int end_in_thread(void)
{
	pthread_t thread;
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pthread_create(&thread, NULL, end_program, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	sched_yield();
	if (read(0, input, 32) < 0)
		return 1;
	syscall(SYS_rt_sigprocmask, 0, NULL, &main_mask, 8);
	is_asked = 1;
	pthread_join(thread, NULL);
	return 1;
}

/* More than may be written before the snapshot. */
static int flood(void)
{
	static char bytes[1 << 16];

	for (int i = 0; i < 17; i++)
		if (write(1, bytes, sizeof(bytes)) != sizeof(bytes))
			return 1;
	return read(0, input, 1) < 0;
}

int main(int argc, char **argv)
{
	char name[32];
	ssize_t n;

	if (argc > 1 && !strcmp(argv[1], "handler"))
		return read_in_handler();
	if (argc > 1 && !strcmp(argv[1], "thread"))
		return end_in_thread();
	if (argc > 1 && !strcmp(argv[1], "flood"))
		return flood();
	prepare();
	if (argc > 1)
		open_files(argv + 2);
	/* no more than the command: the rest is for do_rest() */
	n = read(0, input, 32);
	if (n < 0 || sscanf(input, "%31s %ld", name, &number) < 1)
		return 1;
	for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			commands[i].run();
	return 0;
}
