/*
 * descriptors.c - the file descriptors that a function has: 0 is the request, 1
 * and 2 are the log. Calls that need a file system fail with ENOSYS.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/times.h>
#include <unistd.h>

#include "sdk.h"

#define DESCRIPTORS 3

static int fail(int error)
{
	errno = error;
	return -1;
}

static bool is_open(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS;
}

/*
 * What of the request has not been read. There is none during init, and a typed
 * function gets it as arguments.
 */
static const char *input_rest(size_t read, size_t *ret_size)
{
	const bool is_typed = thaw_info->request.handler == THAW_HANDLER_TYPED;
	const size_t size = is_typed ? 0 : thaw_info->request.size;

	*ret_size = size > read ? size - read : 0;
	return (const char *)thaw_info->request_start + read;
}

static size_t count; /* of bytes that have been read */

void thaw_input_reset(void)
{
	/* a page that is not written is not restored either */
	if (count)
		count = 0;
}

ssize_t read(int fd, void *buffer, size_t size)
{
	const char *rest;
	size_t rest_size;

	if (fd != STDIN_FILENO)
		return fail(EBADF);
	rest = input_rest(count, &rest_size);
	if (size > rest_size)
		size = rest_size;
	memcpy(buffer, rest, size);
	count += size;
	return (ssize_t)size;
}

ssize_t write(int fd, const void *buffer, size_t size)
{
	if (fd != STDOUT_FILENO && fd != STDERR_FILENO)
		return fail(EBADF);
	thaw_stdio_write(fd == STDERR_FILENO, buffer, size);
	return (ssize_t)size;
}

int isatty(int fd)
{
	fail(is_open(fd) ? ENOTTY : EBADF);
	return 0;
}

/* They stay open: init and every invocation have the same ones. */
int close(int fd)
{
	return is_open(fd) ? 0 : fail(EBADF);
}

off_t lseek(int fd, off_t offset, int from)
{
	(void)offset;
	(void)from;
	return fail(is_open(fd) ? ENOSYS : EBADF);
}

int fstat(int fd, struct stat *ret_status)
{
	if (!is_open(fd))
		return fail(EBADF);
	*ret_status = (struct stat){ .st_mode = S_IFCHR | 0600 };
	return 0;
}

int fileno(FILE *stream)
{
	if (stream == stdin)
		return STDIN_FILENO;
	if (stream == stdout)
		return STDOUT_FILENO;
	if (stream == stderr)
		return STDERR_FILENO;
	return fail(EBADF);
}

int open(const char *path, int flags, ...)
{
	(void)path;
	(void)flags;
	return fail(ENOSYS);
}

int stat(const char *restrict path, struct stat *restrict ret_status)
{
	(void)path;
	(void)ret_status;
	return fail(ENOSYS);
}

int unlink(const char *path)
{
	(void)path;
	return fail(ENOSYS);
}

int rename(const char *from, const char *to)
{
	(void)from;
	(void)to;
	return fail(ENOSYS);
}

/* There are no processes; clock() has the time of the invocation. */
clock_t times(struct tms *ret_times)
{
	(void)ret_times;
	return (clock_t)fail(ENOSYS);
}
