/* file_tmpfs.c - see file_tmpfs.h. */
#include "executor/linux/file_tmpfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/linux/process.h"
#include "executor/linux/transfer.h"

/* What one call lists at most. */
#define LIST_MAX 4096

static bool is_open(const void *cookie, uint32_t node)
{
	const struct linux_process *process = cookie;

	if (process->directory.node == node)
		return true;
	for (size_t i = 0; i < FILES_MAX; i++)
		if (process->files.list[i].kind == &file_tmpfs &&
		    process->files.list[i].node == node)
			return true;
	return false;
}

void file_tmpfs_collect(struct linux_process *process)
{
	if (tmpfs_has_unnamed(&process->tmpfs))
		tmpfs_collect(&process->tmpfs, is_open, process);
}

int64_t file_tmpfs_open(struct linux_process *process, uint32_t node,
			uint64_t flags)
{
	const int fd = files_open(&process->files, &file_tmpfs, flags, NULL);

	if (fd >= 0)
		files_get(&process->files, (uint64_t)fd)->node = node;
	return fd;
}

static int64_t read_node(struct linux_process *process, struct file *file,
			 uint64_t *offset, struct transfer *transfer)
{
	const uint8_t *bytes;
	size_t size, done;

	if (tmpfs_is_directory(&process->tmpfs, file->node))
		return -EISDIR;
	bytes = tmpfs_bytes(&process->tmpfs, file->node, *offset, &size);
	if (size > transfer->left)
		size = transfer->left;
	done = size ? transfer_put(transfer, bytes, size) : 0;
	*offset += done;
	return transfer_result(done, size);
}

static uint64_t size_of(struct linux_process *process, const struct file *file)
{
	size_t size;

	tmpfs_bytes(&process->tmpfs, file->node, 0, &size);
	return size;
}

static int64_t write_node(struct linux_process *process, struct file *file,
			  uint64_t *offset, struct transfer *transfer)
{
	size_t total = 0, size;
	const void *bytes;
	int64_t n = 0;

	file_tmpfs_collect(process);
	if (file->flags & O_APPEND)
		*offset = size_of(process, file);
	while (transfer->left) {
		bytes = transfer_take(transfer, transfer->left, &size);
		if (!bytes) {
			n = -EFAULT;
			break;
		}
		n = tmpfs_write(&process->tmpfs, file->node, *offset, bytes,
				size);
		if (n < 0)
			break;
		total += (size_t)n;
		*offset += (uint64_t)n;
		if ((size_t)n < size)
			break;
	}
	return total ? (int64_t)total : n;
}

static int64_t seek_node(struct linux_process *process, struct file *file,
			 int64_t by, uint64_t whence)
{
	return files_seek(file, size_of(process, file), by, whence);
}

static int64_t truncate_node(struct linux_process *process, struct file *file,
			     uint64_t size)
{
	if (tmpfs_is_directory(&process->tmpfs, file->node))
		return -EISDIR;
	file_tmpfs_collect(process);
	return tmpfs_resize(&process->tmpfs, file->node, size);
}

static void node_status(struct linux_process *process, const struct file *file,
			struct stat *ret)
{
	tmpfs_status(&process->tmpfs, file->node, ret);
}

const struct file_kind file_tmpfs = {
	.name = "", /* it has its own */
	.read = read_node,
	.write = write_node,
	.seek = seek_node,
	.truncate = truncate_node,
	.status = node_status,
};

int64_t file_tmpfs_list(struct linux_process *process, struct file *file,
			uint64_t to, uint64_t size)
{
	uint8_t entries[LIST_MAX];
	uint64_t offset = file->offset;
	int r, n;

	if (!tmpfs_is_directory(&process->tmpfs, file->node))
		return -ENOTDIR;
	n = tmpfs_list(&process->tmpfs, file->node, &offset, entries,
		       size < sizeof(entries) ? size : sizeof(entries));
	r = n > 0 ? space_write(&process->space, to, entries, (size_t)n) : 0;
	if (n < 0 || r)
		return n < 0 ? n : r;
	file->offset = offset;
	process->files.is_changed = true;
	return n;
}
