/* file_data.c - see file_data.h. */
#include "executor/linux/file_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "executor/linux/root.h"
#include "snapshot/memory_budget.h"

/* Entries of a directory are read in pieces of this size. */
#define ENTRIES_PIECE (64u << 10)

/* Has @size more bytes paid for. */
static int pay(struct file_data *data, size_t size)
{
	const int r = memory_budget_take_now(data->memory, size);

	if (!r)
		data->paid += size;
	return r;
}

static int read_bytes(int fd, struct file_data *data)
{
	if (pay(data, data->size))
		return -ENOMEM;
	data->bytes = malloc(data->size + 1);
	if (!data->bytes)
		return -ENOMEM;
	for (size_t done = 0; done < data->size;) {
		ssize_t n = read(fd, data->bytes + done, data->size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0) /* it has shrunk */
			data->size = done;
		done += (size_t)n;
	}
	data->status.st_size = (off_t)data->size;
	return 0;
}

static int read_entries(int fd, struct file_data *data, size_t room)
{
	for (;;) {
		uint8_t *bytes;
		long n;

		if (pay(data, ENTRIES_PIECE))
			return -ENOMEM;
		bytes = realloc(data->bytes, data->size + ENTRIES_PIECE);
		if (!bytes)
			return -ENOMEM;
		data->bytes = bytes;
		n = syscall(SYS_getdents64, fd, bytes + data->size,
			    ENTRIES_PIECE);
		if (n <= 0)
			return n ? -errno : 0;
		data->size += (size_t)n;
		if (data->size > FILE_DATA_MAX)
			return -EFBIG;
		if (data->size > room)
			return -ENOMEM;
	}
}

static struct file_data *new_data(const struct stat *status, const char *path)
{
	struct file_data *data = calloc(1, sizeof(*data));

	if (!data)
		return NULL;
	data->references = 1;
	data->status = *status;
	data->path = strdup(path);
	if (data->path)
		return data;
	free(data);
	return NULL;
}

static int read_data(int found, struct file_data *data, size_t room)
{
	cleanup_close int fd = root_reopen(found);

	if (fd < 0)
		return fd;
	if (S_ISDIR(data->status.st_mode))
		return read_entries(fd, data, room);
	if (data->status.st_size > FILE_DATA_MAX)
		return -EFBIG;
	if ((size_t)data->status.st_size > room)
		return -ENOMEM;
	data->size = (size_t)data->status.st_size;
	return read_bytes(fd, data);
}

int file_data_read(int found, const struct stat *status, const char *path,
		   size_t room, struct memory_budget *memory,
		   struct file_data **ret_data)
{
	struct file_data *data;
	int r;

	/* a device or a FIFO could make the host wait */
	if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode))
		return -EACCES;
	data = new_data(status, path);
	if (!data)
		return -ENOMEM;
	data->memory = memory;
	r = read_data(found, data, room);
	if (r)
		file_data_drop(data);
	else
		*ret_data = data;
	return r;
}

int file_data_make(uint8_t *bytes, size_t size, const struct stat *status,
		   const char *path, struct file_data **ret_data)
{
	struct file_data *data = new_data(status, path);

	if (!data) {
		free(bytes);
		return -ENOMEM;
	}
	data->bytes = bytes;
	data->size = size;
	*ret_data = data;
	return 0;
}

void file_data_hold(struct file_data *data)
{
	atomic_fetch_add_explicit(&data->references, 1, memory_order_relaxed);
}

void file_data_drop(struct file_data *data)
{
	if (!data || atomic_fetch_sub_explicit(&data->references, 1,
					       memory_order_acq_rel) > 1)
		return;
	memory_budget_give(data->memory, data->paid);
	free(data->bytes);
	free(data->path);
	free(data);
}
