/* calls_file.c - system calls about files; see calls.h. */
#include "executor/linux/calls_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "executor/linux/file_data.h"
#include "executor/linux/file_host.h"
#include "executor/linux/file_tmpfs.h"
#include "executor/linux/process.h"

/* Where an entry of a directory has its length: struct linux_dirent64. */
#define ENTRY_LENGTH 16

int64_t call_lseek(struct linux_process *process, const uint64_t *args)
{
	struct file *file = files_get(&process->files, args[0]);

	if (!file)
		return -EBADF;
	if (!file->kind->seek)
		return -ESPIPE;
	process->files.is_changed = true;
	return file->kind->seek(process, file, (int64_t)args[1], args[2]);
}

/* As many whole entries as fit; each begins with its inode, offset and length. */
int64_t call_getdents64(struct linux_process *process, const uint64_t *args)
{
	struct file *file = files_get(&process->files, args[0]);
	const struct file_data *data;
	uint64_t end;
	int r;

	if (!file || (file->flags & O_PATH))
		return -EBADF;
	if (file->kind == &file_tmpfs)
		return file_tmpfs_list(process, file, args[1], args[2]);
	if (!file_is_directory(file))
		return -ENOTDIR;
	data = file->data;
	/* what a program has sought in a directory need not be an entry */
	if (file->offset > data->size || file->offset % 8)
		return -EINVAL;
	for (end = file->offset; end < data->size;) {
		uint16_t length = 0;

		if (data->size - end < ENTRY_LENGTH + sizeof(length))
			break;
		memcpy(&length, data->bytes + end + ENTRY_LENGTH,
		       sizeof(length));
		if (!length || length > data->size - end ||
		    end + length - file->offset > args[2])
			break;
		end += length;
	}
	if (end == file->offset)
		return end == data->size ? 0 : -EINVAL;
	r = space_write(&process->space, args[1], data->bytes + file->offset,
			end - file->offset);
	if (r)
		return r;
	r = (int)(end - file->offset);
	file->offset = end;
	process->files.is_changed = true;
	return r;
}

void file_status(struct linux_process *process, const struct file *file,
		 struct stat *ret_status)
{
	memset(ret_status, 0, sizeof(*ret_status));
	ret_status->st_ino = (ino_t)(file - process->files.list + 1);
	ret_status->st_nlink = 1;
	ret_status->st_blksize = 4096;
	file->kind->status(process, file, ret_status);
}

int64_t call_fstat(struct linux_process *process, const uint64_t *args)
{
	const struct file *file = files_get(&process->files, args[0]);

	struct stat status;

	if (!file)
		return -EBADF;
	file_status(process, file, &status);
	return space_write(&process->space, args[1], &status, sizeof(status));
}
