/*
 * hostile.c - a Linux program for tests/contract/test_linux_hostile.c. It knows nothing
 * of thaw. It reads a command and does what no decent program does, or what others have
 * got wrong; "good" is the answer, or what was wrong.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "hostile.h"

static char input[256];
static const char *argument;

static void do_echo(void)
{
	printf("%s", argument);
	exit(0);
}

/* Of standard input nothing is left but its duplicate. */
static int duplicate = -1;

static void do_duplicate(void)
{
	char byte;

	FAILS(read(0, &byte, 1), EBADF);
	CHECK(read(duplicate, &byte, 1) == 0 && read(duplicate, &byte, 1) == 0);
	CHECK(open("/dev/zero", O_RDONLY) == 0);
	CHECK(read(0, &byte, 1) == 1 && !byte);
}

/* Megabytes, as many as @count, of @byte to the descriptor in the argument. */
static void write_megabytes(int count, char byte)
{
	static char bytes[1 << 20];
	const int fd = argument[0] - '0';

	memset(bytes, byte, sizeof(bytes));
	for (int i = 0; i < count; i++)
		CHECK(write(fd, bytes, sizeof(bytes)) == sizeof(bytes));
	exit(0);
}

static void do_gigabyte(void)
{
	write_megabytes(1024, 'x');
}

static void do_megabytes(void)
{
	write_megabytes(16, 'x');
}

static void do_lines(void)
{
	write_megabytes(16, '\n');
}

static void do_after_close(void)
{
	char bytes[8];

	CHECK(write(1, "before", 6) == 6 && !close(1));
	if (write(1, "x", 1) != -1 || errno != EBADF)
		exit(7);
	/* the next file takes its place, and is not the reply */
	if (open("/tmp/one", O_RDWR | O_CREAT, 0600) != 1 ||
	    write(1, "file", 4) != 4 || pread(1, bytes, 8, 0) != 4)
		exit(8);
	exit(0);
}

static void do_close_all(void)
{
	for (int fd = 0; fd < 300; fd++)
		close(fd);
	exit(write(2, "x", 1) == -1 && errno == EBADF ? 0 : 7);
}

/* All memory, page by page, in two ways; what there is can be used. */
static void do_memory(void)
{
	size_t size = 1 << 20, mapped = 0;
	char *at;

	for (; size >= PAGE; size /= 2)
		while ((at = mmap(NULL, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) !=
		       MAP_FAILED) {
			memset(at, 0xa5, size);
			mapped += size;
		}
	CHECK(errno == ENOMEM && mapped > 8 << 20);
	while (syscall(SYS_brk, (char *)syscall(SYS_brk, 0) + PAGE) !=
	       syscall(SYS_brk, 0))
		;
	CHECK(open("/dev/null", O_RDONLY) >= 0);
}

/* So many areas that one more cannot be noted. */
static void do_areas(void)
{
	const size_t size = 10000 * PAGE;
	char *all =
		mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t at = 0;

	CHECK(all != MAP_FAILED);
	while (at < size && !mprotect(all + at, PAGE, PROT_READ | PROT_WRITE))
		at += 2 * PAGE;
	CHECK(at < size && errno == ENOMEM);
	CHECK(all[at] == 0 && !munmap(all, size));
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	      MAP_FAILED);
}

static void do_descriptors(void)
{
	static const char *const paths[] = { "/dev/null", "/proc/self/maps",
					     "/", "/tmp/f", "/usr" };
	int fd, ends[2], kind = 0, count = 3;
	char byte;

	while ((fd = open(paths[kind % 5], O_RDONLY)) >= 0 ||
	       (kind % 5 == 3 &&
		(fd = open("/tmp/f", O_CREAT | O_RDWR, 0600)) >= 0)) {
		kind++;
		count++;
	}
	CHECK(errno == EMFILE && count == 256 && fd == -1);
	FAILS(dup(0), EMFILE);
	FAILS(pipe(ends), EMFILE);
	FAILS(epoll_create1(0), EMFILE);
	CHECK(!close(255));
	FAILS(pipe(ends), EMFILE); /* it needs two */
	CHECK(dup(0) == 255 && read(255, &byte, 1) == 0);
	for (fd = 3; fd < 256; fd++)
		CHECK(!close(fd));
	for (count = 0; !pipe(ends); count++)
		CHECK(write(ends[1], input, sizeof(input)) == sizeof(input));
	CHECK(errno == EMFILE || errno == ENFILE);
	CHECK(count > 100);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *lock(void *unused)
{
	pthread_mutex_lock(&mutex);
	return unused;
}

/* As many threads as there can be, none of which ends. */
static void do_threads(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int count = 1, r;

	pthread_mutex_lock(&mutex);
	CHECK(!pthread_attr_init(&attributes));
	CHECK(!pthread_attr_setstacksize(&attributes, 128 << 10));
	while (!(r = pthread_create(&thread, &attributes, lock, NULL)))
		count++;
	CHECK(r == EAGAIN && count == 64);
	for (int i = 0; i < 3; i++)
		sched_yield();
}

/* Loops, each of which thaw sees in another way. */
static void *yield(void *unused)
{
	for (;;)
		sched_yield();
	return unused;
}

/* Asks at once, as often as it can, what is watched through others. */
static void watch(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	const int outer = epoll_create1(0), inner = epoll_create1(0);
	const int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct pollfd fds[256];

	for (int i = 0; i < 100; i++)
		epoll_ctl(outer, EPOLL_CTL_ADD, dup(inner), &event);
	for (int i = 0; i < 100; i++)
		CHECK(!epoll_ctl(inner, EPOLL_CTL_ADD, dup(timer), &event));
	for (int i = 0; i < 256; i++)
		fds[i] = (struct pollfd){ outer, POLLIN, 0 };
	for (;;)
		CHECK(!poll(fds, 256, 0));
}

static void do_loop(void)
{
	pthread_t thread;
	uint32_t word = 0;

	if (*argument == 'y')
		CHECK(!pthread_create(&thread, NULL, yield, NULL));
	if (*argument == 'e')
		watch();
	for (;;) {
		if (*argument == 'c')
			syscall(SYS_sched_getscheduler, 0);
		else if (*argument == 'm')
			syscall(500);
		else if (*argument == 'f')
			syscall(SYS_futex, &word, 0, 1, NULL);
		else if (*argument == 'p')
			poll(NULL, 0, 0);
		else if (*argument == 'n')
			syscall(SYS_nanosleep, &(struct timespec){ 0, 1 },
				NULL);
		else if (*argument == 'w')
			CHECK(write(1, "", 0) == 0);
		else
			sched_yield();
	}
}

static void sleep_for(long ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	CHECK(!nanosleep(&time, NULL));
}

/* Waits for ever, with the mask that it has. */
static void do_wait_masked(void)
{
	sigset_t set;

	CHECK(!sigprocmask(SIG_BLOCK, NULL, &set));
	sigsuspend(&set);
}

/* A mask stays as it was set, whatever call comes behind it. */
static void do_mask(void)
{
	sigset_t set, now;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK(!syscall(SYS_sched_getscheduler, 0));
	CHECK(!sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(sigismember(&now, SIGUSR1));
}

static void do_own_code(void)
{
	CHECK(seven() == 7 && patch_seven(PROT_READ | PROT_WRITE) == 0);
	CHECK(seven() == 8);
}

static void do_own_code_at_once(void)
{
	CHECK(patch_seven(PROT_READ | PROT_WRITE | PROT_EXEC) == EACCES);
	CHECK(seven() == 7);
}

/* glibc looks for the first thread's stack in /proc/self/maps. */
static void do_stack(void)
{
	pthread_attr_t attributes;
	char *start, here;
	size_t size;

	CHECK(!pthread_getattr_np(pthread_self(), &attributes));
	CHECK(!pthread_attr_getstack(&attributes, (void **)&start, &size));
	CHECK(&here > start && &here < start + size);
	CHECK(size >= 32 << 10 && size <= 8 << 20);
	start += size - (64 << 10);
	*(volatile char *)start = 1;
}

/* Two events, whose data a wrong layout would mix up. */
static void do_layouts(void)
{
	const uint64_t data[2] = { 0x1122334455667788, 0x99aabbccddeeff00 };
	struct epoll_event events[4] = { { 0 } };
	int epoll = epoll_create1(0), ends[2][2];
	struct stat status;

	for (int i = 0; i < 2; i++) {
		struct epoll_event event = { .events = EPOLLIN };

		event.data.u64 = data[i];
		CHECK(!pipe(ends[i]) && write(ends[i][1], "x", 1) == 1);
		CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, ends[i][0], &event));
	}
	CHECK(epoll_wait(epoll, events, 4, 0) == 2);
	for (int i = 0; i < 2; i++) {
		const int other = events[0].data.u64 == data[1];

		CHECK(events[i].events == EPOLLIN);
		CHECK(events[i].data.u64 == data[i ^ other]);
	}
	CHECK(!events[2].events && !events[2].data.u64);
	CHECK(!stat("/tmp/before", &status) && S_ISREG(status.st_mode));
	CHECK(status.st_size == BEFORE_SIZE && status.st_nlink == 1);
	CHECK(status.st_uid == getuid() && status.st_gid == getgid());
	CHECK(status.st_blksize == PAGE && status.st_blocks == 24);
	CHECK(status.st_mtim.tv_sec > 1600000000 && status.st_ino);
	CHECK(status.st_mtim.tv_nsec < 1000000000 && !status.st_rdev);
}

static const struct command commands[] = {
	{ "echo", do_echo },
	{ "duplicate", do_duplicate },
	{ "gigabyte", do_gigabyte },
	{ "megabytes", do_megabytes },
	{ "lines", do_lines },
	{ "after_close", do_after_close },
	{ "close_all", do_close_all },
	{ "refused", do_refused },
	{ "memory", do_memory },
	{ "areas", do_areas },
	{ "descriptors", do_descriptors },
	{ "threads", do_threads },
	{ "tmp", do_tmp },
	{ "names", do_names },
	{ "loop", do_loop },
	{ "wait_masked", do_wait_masked },
	{ "mask", do_mask },
	{ "own_code", do_own_code },
	{ "own_code_at_once", do_own_code_at_once },
	{ "stack", do_stack },
	{ "layouts", do_layouts },
	{ "mounts", do_mounts },
	{ "grow", do_grow },
	{ "fault_loop", do_fault_loop },
	{ "nested_faults", do_nested_faults },
	{ "kept", do_kept },
	{ "probe", do_probe },
	{ "signal_stack", do_signal_stack },
};

/* What happens before the snapshot, as the first argument says. */
static void set_up(const char *how)
{
	static char bytes[1 << 20];

	put_before();
	if (!strcmp(how, "duplicate")) {
		duplicate = dup(0);
		CHECK(!close(0));
	}
	if (!strcmp(how, "close"))
		close(0);
	if (!strcmp(how, "sleep"))
		sleep_for(20);
	if (!strcmp(how, "sleep_long"))
		sleep_for(1000000);
	if (!strcmp(how, "wait"))
		sigsuspend(&(sigset_t){ { 0 } });
	if (!strcmp(how, "kill"))
		kill(getpid(), SIGTERM);
	if (!strcmp(how, "flood"))
		for (int i = 0; i < 1024; i++)
			CHECK(write(1, bytes, sizeof(bytes)));
	memset(bytes, '\n', sizeof(bytes));
	if (!strcmp(how, "flood_log"))
		for (int i = 0; i < 8; i++)
			CHECK(write(2, bytes, sizeof(bytes)));
	if (!strcmp(how, "exit"))
		exit(0);
}

int main(int argc, char **argv)
{
	ssize_t size;

	set_up(argc > 1 ? argv[1] : "");
	size = read(duplicate < 0 ? 0 : duplicate, input, sizeof(input) - 1);
	if (size < 0)
		return 5;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const size_t length = strlen(commands[i].name);

		if (strncmp(input, commands[i].name, length) ||
		    (input[length] && input[length] != ' '))
			continue;
		argument = input + length + 1;
		commands[i].run();
		puts("good");
		return 0;
	}
	return 6;
}
