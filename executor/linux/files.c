/* files.c - see files.h. */
#include "executor/linux/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/linux/file_data.h"

void files_done(struct files *files)
{
	for (size_t i = 0; i < FILES_MAX; i++)
		file_data_drop(files->list[i].data);
	pipes_done(&files->pipes);
	memset(files, 0, sizeof(*files));
}

static void copy_table(struct files *to, const struct files *from)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		if (from->list[i].data)
			file_data_hold(from->list[i].data);
		file_data_drop(to->list[i].data);
	}
	memcpy(to->list, from->list, sizeof(to->list));
	memcpy(to->descriptors, from->descriptors, sizeof(to->descriptors));
	memcpy(to->is_close_on_exec, from->is_close_on_exec,
	       sizeof(to->is_close_on_exec));
	to->timers = from->timers;
	to->withheld = from->withheld;
	to->is_made = true;
	to->is_changed = false;
}

int files_copy(struct files *to, const struct files *from)
{
	if (!to->is_made || to->is_changed)
		copy_table(to, from);
	epolls_copy(&to->epolls, &from->epolls);
	return pipes_copy(&to->pipes, &from->pipes);
}

struct file *files_get(struct files *files, uint64_t fd)
{
	if (fd >= FILES_MAX || !files->descriptors[fd])
		return NULL;
	return &files->list[files->descriptors[fd] - 1];
}

int files_close(struct files *files, struct linux_process *process, uint64_t fd)
{
	struct file *file = files_get(files, fd);

	if (!file)
		return -EBADF;
	files->is_changed = true;
	files->descriptors[fd] = 0;
	files->is_close_on_exec[fd] = false;
	if (--file->references)
		return 0;
	epolls_forget(&files->epolls, (uint16_t)(file - files->list));
	if (file->kind->close)
		file->kind->close(process, file);
	file_data_drop(file->data);
	*file = (struct file){ .kind = NULL };
	return 0;
}

static int set_descriptor(struct files *files, struct file *file, uint64_t fd)
{
	files->is_changed = true;
	files->descriptors[fd] = (uint16_t)(file - files->list + 1);
	files->is_close_on_exec[fd] = false;
	file->references++;
	return (int)fd;
}

int files_open(struct files *files, const struct file_kind *kind,
	       uint64_t flags, struct file_data *data)
{
	struct file *file = files->list;
	int fd;

	while (file < files->list + FILES_MAX && file->references)
		file++;
	if (file == files->list + FILES_MAX)
		return -EMFILE;
	*file = (struct file){ .kind = kind,
			       .flags = (uint32_t)flags & ~O_CLOEXEC };
	fd = files_duplicate(files, file, 0);
	if (fd >= 0) {
		file->data = data;
		files->is_close_on_exec[fd] = (flags & O_CLOEXEC) != 0;
	} else {
		file->kind = NULL;
	}
	return fd;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return S_ISREG(a->st_mode) && a->st_mode == b->st_mode &&
	       a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_nlink == b->st_nlink &&
	       is_same_time(&a->st_mtim, &b->st_mtim) &&
	       is_same_time(&a->st_ctim, &b->st_ctim);
}

struct file_data *files_find_data(const struct files *files, const char *path,
				  const struct stat *status)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		struct file_data *data = files->list[i].data;

		if (data && !(files->list[i].flags & O_PATH) &&
		    is_same_file(&data->status, status) &&
		    !strcmp(data->path, path))
			return data;
	}
	return NULL;
}

static bool is_counted(const struct files *files, size_t before,
		       const struct file_data *data)
{
	for (size_t i = 0; i < before; i++)
		if (files->list[i].data == data)
			return true;
	return false;
}

size_t files_room(const struct files *files)
{
	size_t used = 0;

	for (size_t i = 0; i < FILES_MAX; i++) {
		const struct file_data *data = files->list[i].data;

		if (data && !is_counted(files, i, data))
			used += data->size;
	}
	return used < FILES_BYTES_MAX ? FILES_BYTES_MAX - used : 0;
}

int files_duplicate(struct files *files, struct file *file, uint64_t least)
{
	const unsigned end = FILES_MAX - files->withheld;

	if (least >= end)
		return -EINVAL;
	for (uint64_t fd = least; fd < end; fd++)
		if (!files->descriptors[fd])
			return set_descriptor(files, file, fd);
	return -EMFILE;
}

int files_duplicate_to(struct files *files, struct linux_process *process,
		       struct file *file, uint64_t fd)
{
	if (fd >= FILES_MAX - files->withheld)
		return -EBADF;
	if (files_get(files, fd) == file)
		return (int)fd;
	file->references++; /* closing must not free it */
	(void)files_close(files, process, fd);
	file->references--;
	return set_descriptor(files, file, fd);
}

void files_poll(struct linux_process *process, const struct file *file,
		uint32_t wanted, struct file_poll *ret)
{
	if (file->kind->poll)
		file->kind->poll(process, file, wanted, ret);
	else
		ret->events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
}

/* A file has no holes: they are zeros like others. */
static int64_t seek_data(uint64_t size, int64_t by, bool is_data)
{
	if (by < 0 || (uint64_t)by >= size)
		return -ENXIO;
	return is_data ? by : (int64_t)size;
}

int64_t files_seek(struct file *file, uint64_t size, int64_t by,
		   uint64_t whence)
{
	int64_t offset;

	switch (whence) {
	case SEEK_SET:
		offset = 0;
		break;
	case SEEK_CUR:
		offset = (int64_t)file->offset;
		break;
	case SEEK_END:
		offset = (int64_t)size;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		offset = seek_data(size, by, whence == SEEK_DATA);
		if (offset < 0)
			return offset;
		by = 0;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(offset, by, &offset) || offset < 0)
		return -EINVAL;
	file->offset = (uint64_t)offset;
	return offset;
}
