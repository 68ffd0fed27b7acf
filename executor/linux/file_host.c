/* file_host.c - see file_host.h. */
#include "executor/linux/file_host.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/linux/file_data.h"
#include "executor/linux/process.h"
#include "executor/linux/transfer.h"

bool file_is_directory(const struct file *file)
{
	return file && file->kind == &file_host &&
	       S_ISDIR(file->data->status.st_mode);
}

static size_t left_at(const struct file *file, uint64_t offset)
{
	return offset < file->data->size ? file->data->size - offset : 0;
}

static int64_t host_read(struct linux_process *process, struct file *file,
			 uint64_t *offset, struct transfer *transfer)
{
	size_t size = left_at(file, *offset), done;

	(void)process;
	if (file_is_directory(file))
		return -EISDIR;
	if (size > transfer->left)
		size = transfer->left;
	done = size ? transfer_put(transfer, file->data->bytes + *offset,
				   size) :
		      0;
	*offset += done;
	return transfer_result(done, size);
}

static int64_t host_seek(struct linux_process *process, struct file *file,
			 int64_t by, uint64_t whence)
{
	(void)process;
	return files_seek(file, file->data->size, by, whence);
}

static int64_t host_ioctl(struct linux_process *process, struct file *file,
			  uint64_t request, uint64_t argument)
{
	int left;

	if (request != FIONREAD || file_is_directory(file))
		return -ENOTTY;
	left = (int)left_at(file, file->offset);
	return space_write(&process->space, argument, &left, sizeof(left));
}

static void host_status(struct linux_process *process, const struct file *file,
			struct stat *ret)
{
	(void)process;
	*ret = file->data->status;
}

const struct file_kind file_host = {
	.name = "", /* it has its own */
	.read = host_read,
	.seek = host_seek,
	.ioctl = host_ioctl,
	.status = host_status,
};
