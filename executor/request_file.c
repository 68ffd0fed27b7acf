/* request_file.c - see request_file.h */
#include "executor/request_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

int request_file_read(const char *path, size_t most, const char *limit,
		      struct error *err, char **ret_bytes, size_t *ret_size)
{
	cleanup_close int fd = -1;
	cleanup_free char *bytes = NULL;
	struct stat status;
	ssize_t size;

	fd = file_open_regular(path, &status);
	if (fd < 0)
		return error_set(err, fd, "%s: %s", path,
				 fd == -EINVAL ? "not a regular file" :
						 strerror(-fd));
	if (status.st_size > (off_t)most)
		return error_set(err, -E2BIG, "%s has %lld bytes: %s is %zu",
				 path, (long long)status.st_size, limit, most);
	bytes = malloc((size_t)status.st_size + 1);
	if (!bytes)
		return error_set(err, -ENOMEM, "no memory for the bytes of %s",
				 path);
	size = pread(fd, bytes, (size_t)status.st_size, 0);
	if (size < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	*ret_bytes = take_pointer(bytes);
	*ret_size = (size_t)size;
	return 0;
}
