/* file.c - see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"

int file_open_regular(const char *path, struct stat *ret_status)
{
	/* without O_NONBLOCK, opening a FIFO waits for its other end */
	cleanup_close int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	/* ENXIO means a socket, or a device that is not there */
	if (fd < 0)
		return errno == ENXIO ? -EINVAL : -errno;
	if (fstat(fd, ret_status))
		return -errno;
	if (S_ISDIR(ret_status->st_mode))
		return -EISDIR;
	return S_ISREG(ret_status->st_mode) ? take_fd(&fd) : -EINVAL;
}
