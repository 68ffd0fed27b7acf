/* gunyah_text.c - the commands of gunyah.c about the console, and about the exit. */
#define _GNU_SOURCE
#include "gunyah.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
/* What one write() hands over at most; a longer one is cut. */
#define TEXT_MAX 1024
#define LOG_MAX (512 << 10)

static const char *volatile nowhere = (const char *)8;
static char said[8192];
static volatile size_t said_size;
static volatile int pieces;

/* Notes each piece, with a bar behind it. */
static void on_console(const char *text, size_t size)
{
	memcpy(said + said_size, text, size);
	said_size += size;
	said[said_size++] = '|';
	pieces++;
	/* this does not come back */
	CHECK(write(2, "from the function\n", 18) == 18);
}

static int register_console(void (*function)(const char *, size_t))
{
	struct register_console asked = { function };

	return ioctl(console, CONSOLE_REGISTER, &asked) ? -errno : 0;
}

static int set_prefix(const char *prefix)
{
	return ioctl(console, CONSOLE_SET_PREFIX, prefix) ? -errno : 0;
}

static void say(int fd, const char *text)
{
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void expect_said(const char *expected)
{
	said[said_size] = '\0';
	CHECK(strcmp(said, expected) == 0);
	said_size = 0;
}

/* The reply has what is written here as well. */
void do_console(void)
{
	const struct iovec parts[] = { { "one\nt", 5 }, { "wo\n", 3 } };

	CHECK(register_console(on_console) == 0);
	CHECK(register_console(on_console) == -EBUSY);
	say(1, "a\n");
	expect_said("a\n|");
	say(2, "b");
	say(1, "c\nd\n\n");
	expect_said("b|c\n|d\n|\n|");
	CHECK(writev(1, parts, 2) == 8);
	expect_said("one\n|two\n|");
	CHECK(set_prefix("123456789012345") == 0);
	CHECK(set_prefix("1234567890123456") == -E2BIG);
	say(1, "x\n");
	expect_said("x\n|");
	CHECK(set_prefix("> ") == 0);
	say(1, "x");
	say(1, "y\nz\n");
	expect_said("> |x|y\n|> |z\n|");
	CHECK(set_prefix("") == 0);
	CHECK(ioctl(console, CONSOLE_DEREGISTER, 0) == 0);
	CHECK(ioctl(console, CONSOLE_DEREGISTER, 0) && errno == ENOENT);
	say(1, "nobody\n");
	expect_said("");
	CHECK(register_console(NULL) == 0);
	say(1, "nobody\n");
	CHECK(register_console(on_console) == 0);
	CHECK(ioctl(console, CONSOLE_DEREGISTER, 0) == 0);
}

void do_long_text(void)
{
	static char text[TEXT_MAX * 3];

	memset(text, 'x', sizeof(text));
	CHECK(write(2, text, sizeof(text)) == (ssize_t)sizeof(text));
	CHECK(register_console(on_console) == 0);
	CHECK(write(2, text, TEXT_MAX) == TEXT_MAX);
	CHECK(pieces == 1 && said_size == TEXT_MAX + 1);
	CHECK(write(2, text, TEXT_MAX + 1) == TEXT_MAX);
	CHECK(write(2, text, sizeof(text)) == TEXT_MAX);
	CHECK(pieces == 3);
	CHECK(write(2, text, 0) == 0);
	CHECK(write(2, nowhere, 10) < 0 && errno == EFAULT);
	CHECK(pieces == 3);
	memset(text, '\n', sizeof(text));
	said_size = 0;
	CHECK(write(2, text, 100) == 100);
	CHECK(pieces == 3 + 100);
	CHECK(ioctl(console, CONSOLE_DEREGISTER, 0) == 0);
}

/* What is written while interrupts are blocked is not for the function. */
void do_blocked_text(void)
{
	sigset_t all;

	sigfillset(&all);
	CHECK(register_console(on_console) == 0);
	CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
	for (int i = 0; i < 100; i++)
		say(2, "a text of many bytes that nobody listens to\n");
	CHECK(sigprocmask(SIG_UNBLOCK, &all, NULL) == 0);
	expect_said("");
	say(2, "now\n");
	expect_said("now\n|");
	CHECK(ioctl(console, CONSOLE_DEREGISTER, 0) == 0);
}

void do_terminal(void)
{
	struct winsize size;

	for (int fd = 0; fd < 3; fd++) {
		memset(&size, 0, sizeof(size));
		CHECK(ioctl(fd, TIOCGWINSZ, &size) == 0);
		CHECK(size.ws_row == 64 && size.ws_col == 96);
	}
	CHECK(ioctl(gic, TIOCGWINSZ, &size) && errno == ENOSYS);
}

static int set_log(char *buffer, size_t size)
{
	struct set_buffer asked = { buffer, size };

	return ioctl(1, TERMINAL_SET_BUFFER, &asked) ? -errno : 0;
}

/* The log buffer has each line, with its time before it, and goes round. */
void do_log(void)
{
	char *log = mmap(NULL, LOG_MAX + PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long s, us;
	char first[32], second[32];

	CHECK(log != MAP_FAILED && !munmap(log + LOG_MAX, PAGE));
	CHECK(set_log(log, LOG_MAX + 1) == -EINVAL);
	CHECK(set_log(log, (size_t)-1) == -EINVAL);
	CHECK(set_log(log + PAGE, LOG_MAX) == -EFAULT);
	CHECK(set_log(log, LOG_MAX) == 0);
	CHECK(set_log(log, 64) == 0);
	memset(log, '#', 128);
	say(2, "he");
	say(2, "llo\nyou\n");
	CHECK(sscanf(log, "%lu.%6lu: %9s %*u.%*u: %9s", &s, &us, first,
		     second) == 4);
	CHECK(strcmp(first, "hello") == 0 && strcmp(second, "you") == 0);
	CHECK(log[strlen(log) - 1] == '\n');
	for (int i = 0; i < 100; i++)
		say(2, "it goes round and round and round and round, and so on "
		       "and so on\n");
	CHECK(memchr(log, '\0', 64) && log[64] == '#' && log[127] == '#');
	CHECK(set_log(log, 1) == 0);
	say(2, "nothing\n");
	CHECK(log[0] == '\0' && log[1] != '\0');
	/* what is not there any more is not written */
	CHECK(set_log(log, LOG_MAX) == 0);
	CHECK(munmap(log, PAGE) == 0);
	say(2, "nowhere\n");
	CHECK(set_log(NULL, 0) == 0);
	say(2, "nowhere\n");
}

static int register_exit(void (*function)(int))
{
	struct register_exit asked = { function };

	return ioctl(exits, EXIT_REGISTER, &asked) ? -errno : 0;
}

static void on_exit_say(int status)
{
	char text[32];

	snprintf(text, sizeof(text), "bye %d\n", status);
	say(1, text);
	/* no interrupt comes any more */
	CHECK(request(IRQ_ASSERT, 99) == 0);
}

static void on_exit_exit(int status)
{
	syscall(SYS_exit_group, status + 1);
}

static bool on_never(int line, void *data)
{
	(void)line;
	(void)data;
	CHECK(0);
}

static bool on_exit_here(int line, void *data)
{
	(void)line;
	(void)data;
	syscall(SYS_exit_group, number);
	CHECK(0);
}

static void begin_exit(void (*function)(int))
{
	CHECK(add_handler(99, on_never) == 0);
	CHECK(request(IRQ_ENABLE, 99) == 0);
	CHECK(register_exit(function) == 0);
}

void do_exit_requests(void)
{
	CHECK(register_exit(NULL) == -EINVAL);
	CHECK(ioctl(exits, EXIT_DEREGISTER, 0) && errno == ENOENT);
	CHECK(register_exit(on_exit_say) == 0);
	CHECK(register_exit(on_exit_say) == -EBUSY);
	CHECK(register_exit(NULL) == -EBUSY);
	CHECK(ioctl(exits, EXIT_DEREGISTER, 0) == 0);
	CHECK(ioctl(exits, EXIT_DEREGISTER, 0) && errno == ENOENT);
}

void do_exit(void)
{
	begin_exit(on_exit_say);
	exit((int)number);
}

void do_exit_call(void)
{
	begin_exit(on_exit_say);
	syscall(SYS_exit, number);
	CHECK(0);
}

void do_exit_in_handler(void)
{
	begin_exit(on_exit_say);
	CHECK(add_handler(98, on_exit_here) == 0);
	CHECK(request(IRQ_ENABLE, 98) == 0);
	request(IRQ_ASSERT, 98);
	CHECK(0);
}

/* A function that exits itself ends the program. */
void do_exit_again(void)
{
	begin_exit(on_exit_exit);
	syscall(SYS_exit_group, number);
	CHECK(0);
}
