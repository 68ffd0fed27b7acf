/*
 * device.c - a Linux program for tests/contract/test_linux_device.c, which asks for its
 * requests at /dev/thaw. A request is a string of JSON: a command, and its argument. The
 * program's argument says how it begins.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define DEVICE "/dev/thaw"

static int device;
static char line[1 << 20]; /* of the request, without its line break */
static size_t line_size;
static size_t piece = sizeof(line); /* bytes that one read asks for */
static int count;		    /* of requests that this copy has seen */
static int early; /* what a write before the first read said */

static void say(const char *format, ...)
{
	static char text[sizeof(line) + 64];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (write(device, text, (size_t)size) != size)
		_exit(90);
}

static void result(const char *text)
{
	say("{\"result\":\"%s\"}\n", text);
}

static const char *named(int64_t n)
{
	static char text[32];

	if (n < 0)
		return strerrorname_np(errno);
	snprintf(text, sizeof(text), "%lld", (long long)n);
	return text;
}

static void do_echo(const char *argument)
{
	(void)argument;
	say("{\"result\":%s}\n", line);
}

static void do_count(const char *argument)
{
	(void)argument;
	say("{\"result\":%d}\n", count);
}

static void do_early(const char *argument)
{
	(void)argument;
	errno = early;
	result(named(-1));
}

static void do_error(const char *argument)
{
	say("{\"error\":{\"type\":\"Kind\",\"message\":\"%s\"}}\n", argument);
}

/* Replies the argument as it is, whatever that is; '!' stands for a line break. */
static void do_raw(const char *argument)
{
	char text[256];

	snprintf(text, sizeof(text), "%s", argument);
	for (char *c = text; *c; c++)
		if (*c == '!')
			*c = '\n';
		else if (*c == '\'')
			*c = '"';
	if (write(device, text, strlen(text)) < 0)
		_exit(91);
}

/* The rest of the request, and its end, which can be read many times. */
static void do_end(const char *argument)
{
	char byte;

	(void)argument;
	for (int i = 0; i < 3; i++)
		if (read(device, &byte, 1))
			_exit(92);
	result("three ends");
}

static void do_bytes(const char *argument)
{
	static const char text[] = "{\"result\":\"byte by byte\"}\n";

	(void)argument;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		if (write(device, text + i, 1) != 1)
			_exit(93);
}

static void do_vector(const char *argument)
{
	struct iovec parts[] = { { (char *)"{\"result\":", 10 },
				 { NULL, 0 },
				 { (char *)"[1]}\n", 5 } };

	(void)argument;
	if (writev(device, parts, 3) != 15)
		_exit(94);
}

/* A reply of so many bytes, with its line break or without. */
static void large(const char *argument, const char *end)
{
	static char text[1 << 20];
	const size_t size = strtoul(argument, NULL, 10);

	memset(text, 'x', size);
	memcpy(text, "{\"result\":\"", 11);
	memcpy(text + size - 2, "\"}", 2);
	strcpy(text + size, end);
	if (write(device, text, strlen(text)) < 0)
		_exit(95);
}

static void do_large(const char *argument)
{
	large(argument, "\n");
}

static void do_large_unended(const char *argument)
{
	large(argument, "");
}

static void do_exit(const char *argument)
{
	fputs("last words\n", stderr);
	exit(atoi(argument));
}

static void do_reply_and_exit(const char *argument)
{
	say("{\"result\":\"and exit\"}");
	exit(atoi(argument));
}

static void do_stdin(const char *argument)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	char byte;
	int left = 7;

	(void)argument;
	if (read(STDIN_FILENO, &byte, 1) || poll(&fd, 1, -1) != 1 ||
	    ioctl(STDIN_FILENO, FIONREAD, &left) || left)
		_exit(96);
	result("at its end");
}

static void do_stdout(const char *argument)
{
	printf("%s\n", argument);
	fflush(stdout);
	result("printed");
}

static void do_poll(const char *argument)
{
	struct pollfd fds[] = { { device, POLLIN, 0 },
				{ device, POLLOUT, 0 },
				{ device, POLLIN | POLLOUT, 0 } };

	(void)argument;
	if (poll(fds, 3, -1) != 3)
		_exit(97);
	say("{\"result\":[%d,%d,%d]}\n", fds[0].revents == POLLIN,
	    fds[1].revents == POLLOUT, fds[2].revents == (POLLIN | POLLOUT));
}

/* All descriptors are of the same request. */
static void do_second(const char *argument)
{
	int other = open(DEVICE, O_RDWR | O_CLOEXEC), third = dup(device);
	char byte;

	(void)argument;
	if (other < 0 || third < 0 || read(other, &byte, 1) || close(device) ||
	    read(third, &byte, 1))
		_exit(98);
	device = other;
	result("by another");
}

static void do_access(const char *argument)
{
	int reader = open(DEVICE, O_RDONLY), writer = open(DEVICE, O_WRONLY);
	struct stat status;
	char byte;

	(void)argument;
	if (write(reader, "x", 1) != -1 || errno != EBADF ||
	    read(writer, &byte, 1) != -1 || errno != EBADF)
		_exit(99);
	if (lseek(device, 0, SEEK_SET) != -1 || errno != ESPIPE ||
	    pread(device, &byte, 1, 0) != -1 || errno != ESPIPE)
		_exit(100);
	if (fstat(device, &status) || !S_ISCHR(status.st_mode) ||
	    stat(DEVICE, &status) || !S_ISCHR(status.st_mode) ||
	    access(DEVICE, R_OK | W_OK) || isatty(device))
		_exit(101);
	result("good");
}

static void do_wild(const char *argument)
{
	char *volatile wild = (char *)1;

	(void)argument;
	if (write(device, wild, 10) != -1 || errno != EFAULT ||
	    write(device, line, 0) || read(device, wild, 10))
		_exit(102);
	result("good");
}

static const struct {
	const char *name;
	void (*call)(const char *argument);
} commands[] = {
	{ "access", do_access },
	{ "bytes", do_bytes },
	{ "count", do_count },
	{ "early", do_early },
	{ "echo", do_echo },
	{ "end", do_end },
	{ "error", do_error },
	{ "exit", do_exit },
	{ "large", do_large },
	{ "large_unended", do_large_unended },
	{ "poll", do_poll },
	{ "raw", do_raw },
	{ "reply_and_exit", do_reply_and_exit },
	{ "second", do_second },
	{ "stdin", do_stdin },
	{ "stdout", do_stdout },
	{ "vector", do_vector },
	{ "wild", do_wild },
};

static void answer(void)
{
	char name[256] = "";
	char *argument;

	snprintf(name, sizeof(name), "%.250s", line + 1);
	name[strcspn(name, "\"")] = '\0';
	argument = strchrnul(name, ' ');
	if (*argument)
		*argument++ = '\0';
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(name, commands[i].name)) {
			commands[i].call(argument);
			return;
		}
	do_echo("");
}

/* Reads up to the line break. False: there was none. */
static bool take_line(void)
{
	ssize_t n = 1;

	line_size = 0;
	while (n > 0 && !memchr(line, '\n', line_size)) {
		n = read(device, line + line_size,
			 piece < sizeof(line) - line_size ?
				 piece :
				 sizeof(line) - line_size);
		line_size += n > 0 ? (size_t)n : 0;
	}
	if (n <= 0)
		return false;
	line[--line_size] = '\0';
	return true;
}

/* Standard input was first: there is nothing in the device. */
static int answer_stdin(void)
{
	ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);
	struct pollfd fd = { device, POLLIN, 0 };
	char byte;

	if (n < 0 || poll(&fd, 1, -1) != 1 || read(device, &byte, 1))
		return 103;
	printf("stdin %.*s %s", (int)n, line, named(write(device, "{}\n", 3)));
	return 0;
}

static void begin(const char *how)
{
	struct pollfd fd = { device, POLLIN, 0 };
	char byte;

	if (!strcmp(how, "pieces"))
		piece = 3;
	/* the request is in the device, and in no other file */
	if (!strcmp(how, "poll") &&
	    (poll(&fd, 1, -1) != 1 || read(STDIN_FILENO, &byte, 1)))
		exit(104);
	if (!strcmp(how, "speak"))
		printf("before\n");
	if (!strcmp(how, "leave"))
		exit(5);
	errno = 0;
	if (!strcmp(how, "write") && write(device, "{}\n", 3) == -1)
		early = errno;
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	device = open(DEVICE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (device < 0)
		return 105;
	begin(how);
	if (!strcmp(how, "stdin"))
		return answer_stdin();
	while (take_line()) {
		count++;
		answer();
	}
	/* a reply without a line break ends when the next request is read */
	return 106;
}
