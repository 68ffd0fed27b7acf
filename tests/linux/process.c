/*
 * process.c - a Linux program for tests/contract/test_linux_process.c, about what a
 * process is told of itself. It reads a command, and does what the command says; run by
 * Linux it prints the same, unless it is root's or what its user may do is different.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define NOWHERE ((void *)8)

#define CHECK(condition)                                             \
	do {                                                         \
		if (!(condition)) {                                  \
			printf("line %d: %s (errno %d)\n", __LINE__, \
			       #condition, errno);                   \
			exit(0);                                     \
		}                                                    \
	} while (0)
#define FAILS(call, error) CHECK((call) == -1 && errno == (error))

static void do_identity(void)
{
	unsigned a, b, c, me = getuid();

	CHECK(!syscall(SYS_getresuid, &a, &b, &c));
	CHECK(a == me && b == me && c == me);
	CHECK(!syscall(SYS_getresgid, &a, &b, &c) && a == getgid());
	FAILS(syscall(SYS_getresuid, &a, NOWHERE, &c), EFAULT);
	CHECK(!syscall(SYS_setresuid, me, -1, me));
	FAILS(syscall(SYS_setresuid, me, me, 0), EPERM);
	CHECK(!syscall(SYS_setreuid, -1, me));
	FAILS(syscall(SYS_setregid, 0, -1), EPERM);
	CHECK((unsigned)setfsuid(0) == me && (unsigned)setfsuid(me) == me);
	FAILS(syscall(SYS_setgroups, 1, &me), EPERM);
	FAILS(syscall(SYS_getgroups, -1, NULL), EINVAL);
	CHECK(getpgid(0) == getpid() && getsid(getpid()) == getpid());
	FAILS(getpgid(12345), ESRCH);
	FAILS(setsid(), EPERM);
}

/* The nice value can be raised, and an invocation's is gone with it. */
static void do_priority(void)
{
	errno = 0;
	CHECK(getpriority(PRIO_PROCESS, 0) == 0 && !errno);
	CHECK(!setpriority(PRIO_PROCESS, (id_t)getpid(), 5));
	CHECK(getpriority(PRIO_PROCESS, 0) == 5);
	CHECK(!setpriority(PRIO_USER, getuid(), 100));
	CHECK(getpriority(PRIO_PGRP, 0) == 19);
	FAILS(setpriority(PRIO_PROCESS, 0, 18), EACCES);
	FAILS(getpriority(PRIO_PROCESS, 12345), ESRCH);
	FAILS(getpriority(PRIO_USER, 12345), ESRCH);
	FAILS(getpriority(3, 0), EINVAL);
}

static uint64_t time_ns(clockid_t clock)
{
	struct timespec time;

	CHECK(!clock_gettime(clock, &time));
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Until more than @ns of CPU time are used. */
static void use(uint64_t ns)
{
	const uint64_t begin = time_ns(CLOCK_PROCESS_CPUTIME_ID);

	while (time_ns(CLOCK_PROCESS_CPUTIME_ID) < begin + ns)
		;
}

static void do_usage(void)
{
	const uint64_t before = time_ns(CLOCK_MONOTONIC);
	struct timespec time;
	struct rusage usage;
	struct tms ticks;
	uint64_t used, asleep;
	clockid_t clock;

	used = time_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < 4; i++)
		CHECK(!usleep(50 * 1000));
	asleep = time_ns(CLOCK_MONOTONIC) - before;
	used = time_ns(CLOCK_PROCESS_CPUTIME_ID) - used;
	/* what it has slept is no time of the CPU */
	CHECK(used + 4 * 25 * 1000000ull <= asleep);
	use(30 * 1000000);
	CHECK(!getrusage(RUSAGE_SELF, &usage));
	CHECK(usage.ru_utime.tv_sec || usage.ru_utime.tv_usec ||
	      usage.ru_stime.tv_usec);
	CHECK(usage.ru_maxrss > 0);
	CHECK(!getrusage(RUSAGE_THREAD, &usage));
	CHECK(!getrusage(RUSAGE_CHILDREN, &usage));
	CHECK(!usage.ru_utime.tv_sec && !usage.ru_utime.tv_usec);
	FAILS(syscall(SYS_getrusage, 2, &usage), EINVAL);
	FAILS(syscall(SYS_getrusage, RUSAGE_SELF, NOWHERE), EFAULT);
	CHECK(times(&ticks) > 0 && ticks.tms_utime + ticks.tms_stime > 0);
	CHECK(ticks.tms_cutime == 0);
	FAILS(syscall(SYS_times, NOWHERE), EFAULT);
	CHECK(!clock_getcpuclockid(0, &clock));
	CHECK(time_ns(clock) >= 30 * 1000000 && !clock_getres(clock, NULL));
	CHECK(!pthread_getcpuclockid(pthread_self(), &clock));
	CHECK(time_ns(clock) > 0);
	FAILS(clock_gettime((clockid_t)(~12345u << 3 | 2), &time), EINVAL);
	FAILS(clock_gettime((clockid_t)(~12345u << 3 | 6), &time), EINVAL);
	FAILS(clock_gettime(-1, &time), EINVAL);
}

static void do_children(void)
{
	int status;

	FAILS(wait(&status), ECHILD);
	FAILS(waitpid(getpid(), &status, WNOHANG), ECHILD);
	FAILS(waitid(P_ALL, 0, NULL, WEXITED), ECHILD);
}

static void do_attributes(void)
{
	char value[8];
	int fd = open("/tmp/file", O_CREAT | O_RDWR, 0600);

	CHECK(fd >= 0);
	FAILS(getxattr("/tmp/file", "user.name", value, 8), EOPNOTSUPP);
	FAILS(fsetxattr(fd, "user.name", "value", 5, 0), EOPNOTSUPP);
	FAILS(llistxattr("/tmp/file", value, 8), EOPNOTSUPP);
	FAILS(removexattr("/tmp/file", "user.name"), EOPNOTSUPP);
}

static void do_advice(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600), ends[2];

	CHECK(fd >= 0 && !pipe(ends));
	CHECK(posix_fadvise(fd, 0, 100, POSIX_FADV_WILLNEED) == 0);
	CHECK(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL) == EINVAL);
	CHECK(posix_fadvise(fd, 0, 0, 6) == EINVAL);
	CHECK(posix_fadvise(ends[0], 0, 0, 0) == ESPIPE);
	CHECK(posix_fadvise(1000, 0, 0, 0) == EBADF);
	CHECK(!readahead(fd, 0, 4096) && !sync_file_range(fd, 0, 0, 0));
	FAILS(readahead(ends[0], 0, 1), EINVAL);
	FAILS(readahead(ends[1], 0, 1), EBADF);
	FAILS(readahead(-1, 0, 1), EBADF);
}

/* /proc/self/fd lists what is open, and the descriptor by which it is read. */
static void do_descriptors(void)
{
	int fd = open("/dev/null", O_RDONLY), count = 0, found = 0;
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;

	CHECK(fd > 2 && directory);
	CHECK(dup2(fd, 77) == 77);
	rewinddir(directory);
	closedir(directory);
	directory = opendir("/proc/self/fd");
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.') {
			const int number = atoi(entry->d_name);

			CHECK(fcntl(number, F_GETFD) >= 0);
			found += number == 77 || number == fd ||
				 number == dirfd(directory);
			count++;
		}
	/* and standard input, output and error */
	CHECK(found == 3 && count == 6);
}

static void *sleeps(void *cookie)
{
	pthread_barrier_wait(cookie);
	pthread_barrier_wait(cookie);
	return NULL;
}

static void do_threads(void)
{
	pthread_barrier_t barrier;
	struct timespec turn;
	char text[4096] = "";
	pthread_t thread;
	FILE *file;

	CHECK(!pthread_barrier_init(&barrier, NULL, 2));
	CHECK(!pthread_create(&thread, NULL, sleeps, &barrier));
	pthread_barrier_wait(&barrier);
	file = fopen("/proc/self/status", "r");
	CHECK(file && fread(text, 1, sizeof(text) - 1, file) > 0);
	CHECK(strstr(text, "\nThreads:\t2\n"));
	fclose(file);
	memset(text, 0, sizeof(text));
	file = fopen("/proc/self/stat", "r");
	CHECK(file && fread(text, 1, sizeof(text) - 1, file) > 0);
	CHECK(strstr(text, " 20 0 2 0 "));
	fclose(file);
	pthread_barrier_wait(&barrier);
	CHECK(!pthread_join(thread, NULL));
	CHECK(!sched_rr_get_interval(0, &turn) && turn.tv_sec == 0);
	FAILS(sched_rr_get_interval(12345, &turn), ESRCH);
}

/* What is read-only is full, and not without a size. */
static void do_sizes(void)
{
	struct statfs size;

	CHECK(!statfs("/", &size) && size.f_blocks > 0 && size.f_bavail == 0);
	CHECK(!statfs("/tmp", &size) && size.f_blocks > size.f_bavail - 1);
}

static const struct {
	const char *name;
	void (*run)(void);
} commands[] = {
	{ "identity", do_identity },
	{ "priority", do_priority },
	{ "usage", do_usage },
	{ "children", do_children },
	{ "attributes", do_attributes },
	{ "advice", do_advice },
	{ "descriptors", do_descriptors },
	{ "threads", do_threads },
	{ "sizes", do_sizes },
};

int main(void)
{
	char input[64] = "";

	if (read(0, input, sizeof(input) - 1) < 0)
		return 2;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(input, commands[i].name)) {
			commands[i].run();
			puts("good");
			return 0;
		}
	return 6;
}
