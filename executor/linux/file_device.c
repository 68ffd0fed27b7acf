/* file_device.c - see file_device.h. */
#include "executor/linux/file_device.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/entropy.h"
#include "executor/linux/device.h"
#include "executor/linux/transfer.h"

/* What a call reads at most. */
#define DEVICE_READ_MAX (1u << 20)

static const struct {
	const char *path;
	const struct file_kind *kind;
} devices[] = {
	{ "/dev/null", &file_null },	  { "/dev/zero", &file_zero },
	{ "/dev/full", &file_full },	  { "/dev/random", &file_random },
	{ "/dev/urandom", &file_random }, { DEVICE_PATH, &file_thaw },
};

const struct file_kind *file_device_find(const char *path)
{
	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++)
		if (!strcmp(path, devices[i].path))
			return devices[i].kind;
	return NULL;
}

static int64_t null_read(struct linux_process *process, struct file *file,
			 uint64_t *offset, struct transfer *transfer)
{
	(void)process;
	(void)file;
	(void)offset;
	(void)transfer;
	return 0;
}

/* As in the kernel, the bytes are not looked at. */
static int64_t null_write(struct linux_process *process, struct file *file,
			  uint64_t *offset, struct transfer *transfer)
{
	(void)process;
	(void)file;
	(void)offset;
	return (int64_t)transfer->left;
}

static int64_t full_write(struct linux_process *process, struct file *file,
			  uint64_t *offset, struct transfer *transfer)
{
	(void)process;
	(void)file;
	(void)offset;
	return transfer->left ? -ENOSPC : 0;
}

/* Reads zeros, or random bytes. */
static int64_t read_bytes(struct transfer *transfer, bool is_random)
{
	uint8_t bytes[ENTROPY_MAX] = { 0 };
	const size_t wanted = transfer->left < DEVICE_READ_MAX ?
				      transfer->left :
				      DEVICE_READ_MAX;
	size_t done = 0;

	while (done < wanted) {
		const size_t left = wanted - done;
		const size_t size = left < sizeof(bytes) ? left : sizeof(bytes);
		size_t put;

		if (is_random && entropy_fill(bytes, size))
			return done ? (int64_t)done : -EIO;
		put = transfer_put(transfer, bytes, size);
		done += put;
		if (put < size)
			break;
	}
	return transfer_result(done, wanted);
}

static int64_t zero_read(struct linux_process *process, struct file *file,
			 uint64_t *offset, struct transfer *transfer)
{
	(void)process;
	(void)file;
	(void)offset;
	return read_bytes(transfer, false);
}

static int64_t random_read(struct linux_process *process, struct file *file,
			   uint64_t *offset, struct transfer *transfer)
{
	(void)process;
	(void)file;
	(void)offset;
	return read_bytes(transfer, true);
}

/* There is one place. */
static int64_t device_seek(struct linux_process *process, struct file *file,
			   int64_t by, uint64_t whence)
{
	(void)process;
	(void)file;
	(void)by;
	(void)whence;
	return 0;
}

static void device_status(struct linux_process *process,
			  const struct file *file, struct stat *ret)
{
	(void)process;
	(void)file;
	ret->st_mode = S_IFCHR | 0666;
}

const struct file_kind file_null = {
	.name = "/dev/null",
	.read = null_read,
	.write = null_write,
	.seek = device_seek,
	.status = device_status,
};

const struct file_kind file_zero = {
	.name = "/dev/zero",
	.read = zero_read,
	.write = null_write,
	.seek = device_seek,
	.status = device_status,
};

const struct file_kind file_full = {
	.name = "/dev/full",
	.read = zero_read,
	.write = full_write,
	.seek = device_seek,
	.status = device_status,
};

const struct file_kind file_random = {
	.name = "/dev/urandom",
	.read = random_read,
	.write = null_write,
	.seek = device_seek,
	.status = device_status,
};
