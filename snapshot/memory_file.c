/* memory_file.c - see memory_file.h */
#include "snapshot/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

int memory_file_create(size_t size)
{
	cleanup_close int fd =
		memfd_create("thaw-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)size))
		return -errno;
	return take_fd(&fd);
}

int memory_file_seal(int fd)
{
	static const struct timespec pause = { .tv_nsec = 10 * NS_PER_MS };
	const uint64_t end_ns =
		clock_now_ns() + MEMORY_FILE_PATIENCE_MS * NS_PER_MS;

	while (fcntl(fd, F_ADD_SEALS,
		     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
			     F_SEAL_WRITE)) {
		if (errno != EBUSY)
			return -errno;
		if (clock_now_ns() >= end_ns)
			return -EBUSY;
		nanosleep(&pause, NULL);
	}
	return 0;
}
