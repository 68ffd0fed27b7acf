/*
 * gunyah.c - a Linux program for tests/contract/test_linux_gunyah.c: written against the
 * rules of the Gunyah C runtime, with what it needs of Linux besides. It registers two
 * handlers before the snapshot, reads a command and a number, and says "good", or what
 * was not as expected.
 *
 * How it begins: "read", it asks for the request by read(); "wait", by ppoll(); "blocked",
 * by read(), with all signals blocked.
 */
#define _GNU_SOURCE
#include "gunyah.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))
/* Longer than any invocation. */
#define FOREVER 1000

/* Two lines with a handler before the snapshot; the second one is not enabled. */
#define FIRST 40
#define SECOND 41
/* One that is level-triggered unless it is changed. */
#define PRIVATE 20

int gic, console, exits;
long number;

/* How often the handler of each line has run, and the order of the last runs. */
static volatile int counts[LINES];
static volatile int order[8], runs;
static volatile bool is_running, result = true;
static char text[256];
static sigjmp_buf back;

int request(unsigned long what, int line)
{
	return ioctl(gic, what, &line) ? -errno : 0;
}

int add_handler(int line, bool (*function)(int line, void *data))
{
	struct register_isr asked = { .isr = function, .irq = line };

	/* any value that tells it from others */
	asked.data = (void *)(uintptr_t)(line * 3);
	return ioctl(gic, IRQ_REGISTER, &asked) ? -errno : 0;
}

static int set_trigger(int line, int trigger)
{
	struct set_trigger asked = { line, trigger };

	return ioctl(gic, IRQ_SET_TRIGGER, &asked) ? -errno : 0;
}

static bool on_interrupt(int line, void *data)
{
	CHECK(!is_running && data == (void *)(uintptr_t)(line * 3));
	is_running = true;
	order[runs++ % 8] = line;
	counts[line]++;
	/* a system call, and vector registers, in the middle */
	CHECK(request(IRQ_CLEAR, line) == 0);
	is_running = false;
	return result;
}

static void enable(int line, bool (*function)(int line, void *data))
{
	CHECK(add_handler(line, function) == 0);
	CHECK(request(IRQ_ENABLE, line) == 0);
}

/* Waits for an interrupt, for @s seconds, or, if that is negative, without a limit. */
static int wait_for(int s)
{
	const struct timespec time = { s, 0 };

	return ppoll(NULL, 0, s < 0 ? NULL : &time, NULL) ? -errno : 0;
}

static const unsigned long of_line[] = { IRQ_ENABLE, IRQ_DISABLE,
					 IRQ_DEREGISTER, IRQ_ASSERT,
					 IRQ_CLEAR };

/* Every request looks whether there is such a line. */
static void do_ranges(void)
{
	static const int none[] = { LINES,   LINES + 1, 65536,	1 << 30,
				    INT_MAX, INT_MIN,	-LINES, -1 };

	for (size_t i = 0; i < COUNT(none); i++) {
		for (size_t j = 0; j < COUNT(of_line); j++)
			CHECK(request(of_line[j], none[i]) == -EINVAL);
		CHECK(set_trigger(none[i], EDGE_RISING) == -EINVAL);
		CHECK(add_handler(none[i], on_interrupt) == -EINVAL);
	}
	for (int line = 0; line < LINES; line += line < 64 ? 1 : 79) {
		if (line == FIRST || line == SECOND)
			continue;
		for (size_t j = 0; j < COUNT(of_line); j++)
			CHECK(request(of_line[j], line) ==
			      (line == TIMER ? -EBUSY : -ENOENT));
	}
	CHECK(set_trigger(TIMER, EDGE_RISING) == -EBUSY);
	CHECK(add_handler(TIMER, on_interrupt) == -EBUSY);
	for (size_t i = 0; i < 2; i++) {
		const int line = i ? LINES - 1 : 0;

		enable(line, on_interrupt);
		CHECK(request(IRQ_ASSERT, line) == 0 && counts[line] == 1);
	}
}

static void do_registers(void)
{
	CHECK(add_handler(FIRST, on_interrupt) == -EBUSY);
	CHECK(request(IRQ_DEREGISTER, FIRST) == 0);
	CHECK(request(IRQ_DEREGISTER, FIRST) == -ENOENT);
	CHECK(request(IRQ_ASSERT, FIRST) == -ENOENT);
	CHECK(add_handler(FIRST, on_interrupt) == 0);
	/* it has stayed enabled */
	CHECK(request(IRQ_ASSERT, FIRST) == 0 && counts[FIRST] == 1);
	/* a handler that is none */
	CHECK(add_handler(60, NULL) == 0);
	CHECK(request(IRQ_ENABLE, 60) == -ENOENT);
}

static void do_wild(void)
{
	static const unsigned long wild[] = { 0, 8, 0xfff0, 1ul << 40,
					      ULONG_MAX - 3 };
	static const unsigned long others[] = {
		IRQ_REGISTER,  IRQ_SET_TRIGGER,	   CONSOLE_REGISTER,
		EXIT_REGISTER, CONSOLE_SET_PREFIX, TERMINAL_SET_BUFFER,
		TIOCGWINSZ,
	};
	static const int *const files[] = { &gic, &gic, &console, &exits,
					    &console };

	for (size_t i = 0; i < COUNT(wild); i++) {
		for (size_t j = 0; j < COUNT(of_line); j++)
			CHECK(ioctl(gic, of_line[j], wild[i]) &&
			      errno == EFAULT);
		for (size_t j = 0; j < COUNT(others); j++)
			CHECK(ioctl(j < COUNT(files) ? *files[j] : 1, others[j],
				    wild[i]) &&
			      errno == EFAULT);
	}
}

static void do_triggers(void)
{
	for (int trigger = -1; trigger < 8; trigger++)
		CHECK(set_trigger(60, trigger) ==
		      (trigger == LEVEL_HIGH || trigger == EDGE_RISING ?
			       0 :
			       -EINVAL));
	CHECK(set_trigger(0, LEVEL_HIGH) == -EINVAL);
	CHECK(set_trigger(15, LEVEL_HIGH) == -EINVAL);
	CHECK(set_trigger(15, EDGE_RISING) == 0);
	CHECK(set_trigger(16, LEVEL_HIGH) == 0);
	CHECK(set_trigger(LINES - 1, LEVEL_HIGH) == 0);
	/* what the program asserts itself, it has asserted once */
	CHECK(set_trigger(FIRST, LEVEL_HIGH) == 0);
	CHECK(request(IRQ_ASSERT, FIRST) == 0 && counts[FIRST] == 1);
}

static void do_assert(void)
{
	for (int i = 1; i <= 3; i++)
		CHECK(request(IRQ_ASSERT, FIRST) == 0 && counts[FIRST] == i);
	CHECK(request(IRQ_DISABLE, FIRST) == 0);
	CHECK(request(IRQ_ASSERT, FIRST) == 0);
	CHECK(request(IRQ_ASSERT, FIRST) == 0 && counts[FIRST] == 3);
	CHECK(request(IRQ_ENABLE, FIRST) == 0 && counts[FIRST] == 4);
	CHECK(request(IRQ_DISABLE, FIRST) == 0);
	CHECK(request(IRQ_ASSERT, FIRST) == 0);
	CHECK(request(IRQ_CLEAR, FIRST) == 0);
	CHECK(request(IRQ_ENABLE, FIRST) == 0 && counts[FIRST] == 4);
}

/* A line is disabled whose handler returns false, or that has none. */
static void do_unhandled(void)
{
	result = false;
	CHECK(request(IRQ_ASSERT, FIRST) == 0 && counts[FIRST] == 1);
	result = true;
	CHECK(request(IRQ_ASSERT, FIRST) == 0 && counts[FIRST] == 1);
	CHECK(request(IRQ_ENABLE, FIRST) == 0 && counts[FIRST] == 2);
}

static void block(int how)
{
	sigset_t all;

	sigfillset(&all);
	CHECK(sigprocmask(how, &all, NULL) == 0);
}

static bool on_assert_others(int line, void *data)
{
	(void)data;
	for (int other = 103; other >= 100; other--)
		CHECK(request(IRQ_ASSERT, other) == 0);
	CHECK(!runs && request(IRQ_DISABLE, line) == 0);
	return true;
}

/* One handler runs to its end, and then that of the lowest line. */
static void do_order(void)
{
	for (int line = 100; line < 104; line++)
		enable(line, on_interrupt);
	enable(99, on_assert_others);
	CHECK(request(IRQ_ASSERT, 99) == 0 && runs == 4);
	for (int i = 0; i < 4; i++)
		CHECK(order[i] == 100 + i);
	/* they come as signals do, and can be blocked as these */
	block(SIG_BLOCK);
	CHECK(request(IRQ_ASSERT, 103) == 0);
	CHECK(request(IRQ_ASSERT, 101) == 0 && runs == 4);
	block(SIG_UNBLOCK);
	CHECK(runs == 6 && order[4] == 101 && order[5] == 103);
}

/* Handlers use registers of any kind, and the program finds its own unchanged. */
static bool on_clobber(int line, void *data)
{
	volatile double sum = (double)(uintptr_t)data;

	for (int i = 0; i < 10; i++)
		sum = sum * 1.5 + line;
	return on_interrupt(line, data);
}

static __attribute__((noinline)) double work(int rounds)
{
	double a = 1, b = 2, c = 3, d = 5;
	uint64_t e = 1, f = 2;

	/* as if it were not the same each time */
	__asm__ volatile("" : "+r"(rounds)::"memory");
	for (int i = 0; i < rounds; i++) {
		a = a * 1.000001 + b * 0.25;
		b = b * 0.999999 + c * 0.125;
		c = c * 0.5 + d * 0.0625;
		d = d * 0.75 + (double)(e % 7);
		e = e * 6364136223846793005u + f;
		f ^= e >> 7;
	}
	return a + b + c + d + (double)(e ^ f);
}

/* The host asserts lines while the program computes. */
static void do_compute(void)
{
	const double expected = work(100000);

	for (int line = 100; line < 103; line++)
		enable(line, on_clobber);
	while (runs < 3)
		CHECK(work(100000) == expected);
	CHECK(counts[100] == 1 && counts[101] == 1 && counts[102] == 1);
	CHECK(work(100000) == expected);
}

/* Waits @number seconds, with signals blocked until then. */
static void do_ppoll(void)
{
	const struct timespec time = { number, 0 }, negative = { -1, 0 };
	sigset_t none;

	CHECK(wait_for(0) == 0);
	CHECK(ppoll(NULL, 0, &negative, NULL) && errno == EINVAL);
	sigemptyset(&none);
	CHECK(ppoll(NULL, 0, number < 0 ? NULL : &time, &none) &&
	      errno == EINTR && counts[FIRST] == 1);
	block(SIG_UNBLOCK);
	CHECK(wait_for(0) == 0 && counts[FIRST] == 1);
}

/* An interrupt that is not enabled does not end a wait, and is not lost. */
static void do_disabled(void)
{
	const struct timespec time = { 0, 100000000 };

	CHECK(!ppoll(NULL, 0, &time, NULL) && counts[SECOND] == 0);
	CHECK(request(IRQ_ENABLE, SECOND) == 0 && counts[SECOND] == 1);
}

static void do_sleep(void)
{
	struct timespec time = { FOREVER, 0 }, left = { 0, 0 };

	CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &left) == EINTR);
	CHECK(counts[FIRST] == 1);
	CHECK(left.tv_sec > 0 && left.tv_sec < FOREVER);
}

static void do_sleep_until(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += FOREVER;
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) ==
	      EINTR);
	CHECK(counts[FIRST] == 1);
}

/* It is cleared at the third time. */
static bool on_level(int line, void *data)
{
	(void)data;
	if (++counts[line] == 3)
		CHECK(request(IRQ_CLEAR, line) == 0);
	return true;
}

/* The host holds a level-triggered line until it is cleared. */
static void do_level(void)
{
	enable(PRIVATE, on_level);
	while (counts[PRIVATE] < 3)
		wait_for(1);
	CHECK(wait_for(0) == 0 && counts[PRIVATE] == 3);
}

static bool on_level_forever(int line, void *data)
{
	(void)line;
	(void)data;
	return true;
}

static void do_storm(void)
{
	enable(PRIVATE, on_level_forever);
	wait_for(-1);
	CHECK(0);
}

static bool on_wait(int line, void *data)
{
	(void)line;
	(void)data;
	wait_for(-1);
	return true;
}

static void do_wait_in_handler(void)
{
	enable(99, on_wait);
	request(IRQ_ASSERT, 99);
	CHECK(0);
}

static bool on_jump(int line, void *data)
{
	(void)line;
	(void)data;
	siglongjmp(back, 1);
}

/* A handler may leave otherwise, with the mask put back. */
static void do_jump(void)
{
	enable(99, on_jump);
	for (volatile int i = 0; i < 100; i++) {
		if (!sigsetjmp(back, 1)) {
			request(IRQ_ASSERT, 99);
			CHECK(0);
		}
		CHECK(request(IRQ_ASSERT, FIRST) == 0);
		CHECK(counts[FIRST] == i + 1);
	}
}

static void do_lost(void)
{
	enable(99, (bool (*)(int, void *))0x7000000000);
	request(IRQ_ASSERT, 99);
}

/* Returns as a handler does, where there is nothing to return to. */
static void do_return(void)
{
	((void (*)(void))0xfff0)();
}

static void *no_thread(void *argument)
{
	return argument;
}

/* What such a program cannot do. */
static void do_refused(void)
{
	static const char *const paths[] = { "/dev/gicv3", "/dev/console",
					     "/dev/exit" };
	struct sigaction action = { .sa_handler = SIG_IGN };
	struct stat status;
	pthread_t thread;
	int fd;

	for (int i = 0; i < 3; i++) {
		CHECK(open(paths[i], O_RDWR | O_CLOEXEC) < 0 &&
		      errno == EINVAL);
		CHECK(open(paths[i], O_RDWR | O_CREAT, 0600) < 0 &&
		      errno == EINVAL);
		CHECK(syscall(SYS_openat, AT_FDCWD, paths[i], O_RDONLY, 1) < 0);
		CHECK(errno == EINVAL);
		fd = open(paths[i], O_WRONLY);
		CHECK(fd >= 0 && ioctl(fd, 0x4901) && errno == ENOSYS);
		CHECK(write(fd, "x", 1) < 0 && errno == EINVAL);
		CHECK(!fstat(fd, &status) && S_ISCHR(status.st_mode));
		CHECK(!close(fd) && ioctl(fd, IRQ_ENABLE, &fd) &&
		      errno == EBADF);
	}
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0 && ioctl(fd, IRQ_ENABLE, &fd) && errno == EINVAL);
	CHECK(ioctl(1, IRQ_ENABLE, &fd) && errno == EINVAL);
	CHECK(syscall(SYS_rt_sigaction, 64, &action, NULL, 8) < 0 &&
	      errno == EINVAL);
	CHECK(syscall(SYS_rt_sigaction, 63, &action, NULL, 8) == 0);
	CHECK(pthread_create(&thread, NULL, no_thread, NULL) != 0);
	/* the signal is nothing without an interrupt */
	CHECK(kill(getpid(), 64) == 0 && !runs);
	CHECK(request(IRQ_ASSERT, FIRST) == 0 && counts[FIRST] == 1);
}

/* Everything is as the snapshot has it. */
static void do_kept(void)
{
	CHECK(!runs && request(IRQ_ASSERT, SECOND) == 0 && !runs);
	CHECK(request(IRQ_ENABLE, SECOND) == 0 && counts[SECOND] == 1);
	CHECK(request(IRQ_ASSERT, FIRST) == 0 && counts[FIRST] == 1);
	for (size_t i = 0; i < COUNT(of_line); i++) {
		CHECK(request(of_line[i], 0) == -ENOENT);
		CHECK(request(of_line[i], 99) == -ENOENT);
		CHECK(request(of_line[i], LINES - 1) == -ENOENT);
	}
	CHECK(ioctl(console, CONSOLE_DEREGISTER, 0) && errno == ENOENT);
	CHECK(ioctl(exits, EXIT_DEREGISTER, 0) && errno == ENOENT);
}

static const struct {
	const char *name;
	void (*run)(void);
} commands[] = {
	{ "ranges", do_ranges },
	{ "registers", do_registers },
	{ "wild", do_wild },
	{ "triggers", do_triggers },
	{ "assert", do_assert },
	{ "unhandled", do_unhandled },
	{ "order", do_order },
	{ "compute", do_compute },
	{ "ppoll", do_ppoll },
	{ "disabled", do_disabled },
	{ "sleep", do_sleep },
	{ "sleep_until", do_sleep_until },
	{ "level", do_level },
	{ "storm", do_storm },
	{ "wait_in_handler", do_wait_in_handler },
	{ "jump", do_jump },
	{ "lost", do_lost },
	{ "return", do_return },
	{ "refused", do_refused },
	{ "kept", do_kept },
	{ "console", do_console },
	{ "long_text", do_long_text },
	{ "blocked_text", do_blocked_text },
	{ "terminal", do_terminal },
	{ "log", do_log },
	{ "exit_requests", do_exit_requests },
	{ "exit", do_exit },
	{ "exit_call", do_exit_call },
	{ "exit_in_handler", do_exit_in_handler },
	{ "exit_again", do_exit_again },
};

static void run_command(void)
{
	const ssize_t size = read(0, text, sizeof(text) - 1);
	char name[32] = "";

	CHECK(size >= 0);
	text[size] = '\0';
	sscanf(text, "%31s %ld", name, &number);
	for (size_t i = 0; i < COUNT(commands); i++) {
		if (strcmp(name, commands[i].name) != 0)
			continue;
		commands[i].run();
		puts("good");
		return;
	}
	printf("what is %s?\n", name);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "read";

	gic = open("/dev/gicv3", O_RDWR);
	console = open("/dev/console", O_RDWR);
	exits = open("/dev/exit", O_RDONLY);
	if (gic < 0 || console < 0 || exits < 0) {
		printf("no devices: %s", strerror(errno));
		fflush(stdout);
		return read(0, text, 1) < 0;
	}
	enable(FIRST, on_interrupt);
	CHECK(add_handler(SECOND, on_interrupt) == 0);
	if (!strcmp(how, "wait")) {
		CHECK(wait_for(0) == 0 && !runs);
		/* the host's interrupt is the request */
		CHECK(wait_for(-1) == -EINTR && counts[FIRST] == 1);
		counts[FIRST] = runs = 0;
	}
	if (!strcmp(how, "blocked"))
		block(SIG_BLOCK);
	run_command();
	return 0;
}
