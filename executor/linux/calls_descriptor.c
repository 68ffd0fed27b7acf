/* calls_descriptor.c - see calls_descriptor.h. */
#include "executor/linux/calls_descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/file.h>
#include <sys/ioctl.h>

#include "executor/linux/file_gunyah.h"
#include "executor/linux/file_host.h"
#include "executor/linux/file_pipe.h"
#include "executor/linux/process.h"

int64_t call_close(struct linux_process *process, const uint64_t *args)
{
	return files_close(&process->files, process, args[0]);
}

static int64_t duplicate(struct linux_process *process, uint64_t fd,
			 uint64_t least)
{
	struct file *file = files_get(&process->files, fd);

	return file ? files_duplicate(&process->files, file, least) : -EBADF;
}

int64_t call_dup(struct linux_process *process, const uint64_t *args)
{
	return duplicate(process, args[0], 0);
}

int64_t call_dup2(struct linux_process *process, const uint64_t *args)
{
	struct file *file = files_get(&process->files, args[0]);

	return file ? files_duplicate_to(&process->files, process, file,
					 args[1]) :
		      -EBADF;
}

int64_t call_dup3(struct linux_process *process, const uint64_t *args)
{
	int64_t fd;

	if (((uint32_t)args[2] & ~(uint32_t)O_CLOEXEC) || args[0] == args[1])
		return -EINVAL;
	fd = call_dup2(process, args);
	if (fd >= 0)
		process->files.is_close_on_exec[fd] = args[2] != 0;
	return fd;
}

/* The descriptors of a program are its alone: CLOSE_RANGE_UNSHARE changes nothing. */
int64_t call_close_range(struct linux_process *process, const uint64_t *args)
{
	struct files *files = &process->files;
	const uint32_t first = (uint32_t)args[0], last = (uint32_t)args[1];
	const uint32_t flags = (uint32_t)args[2];

	if (first > last ||
	    (flags & ~(uint32_t)(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE)))
		return -EINVAL;
	for (uint64_t fd = first; fd <= last && fd < FILES_MAX; fd++) {
		if (!files_get(files, fd))
			continue;
		if (!(flags & CLOSE_RANGE_CLOEXEC)) {
			files_close(files, process, fd);
			continue;
		}
		files->is_close_on_exec[fd] = true;
		files->is_changed = true;
	}
	return 0;
}

/* Of a program that is alone every lock is granted, and nobody else has one. */
static int64_t lock_file(struct linux_process *process, uint64_t command,
			 uint64_t address)
{
	struct flock lock;

	if (space_read(&process->space, address, &lock, sizeof(lock)))
		return -EFAULT;
	if (lock.l_type != F_RDLCK && lock.l_type != F_WRLCK &&
	    (lock.l_type != F_UNLCK || command == F_GETLK))
		return -EINVAL;
	if (lock.l_whence != SEEK_SET && lock.l_whence != SEEK_CUR &&
	    lock.l_whence != SEEK_END)
		return -EINVAL;
	if (command != F_GETLK && command != F_OFD_GETLK)
		return 0;
	lock.l_type = F_UNLCK;
	return space_write(&process->space, address, &lock, sizeof(lock));
}

static int64_t pipe_capacity(struct linux_process *process,
			     const struct file *file, const uint64_t *args)
{
	const struct pipe *pipe = file_pipe(process, file);

	if (!pipe)
		return -EBADF;
	return (uint32_t)args[1] == F_GETPIPE_SZ ?
		       (int64_t)pipe->capacity :
		       pipes_resize(&process->files.pipes, file->pipe,
				    (uint32_t)args[2]);
}

static int64_t duplicate_from(struct linux_process *process,
			      const uint64_t *args)
{
	const int64_t fd = duplicate(process, args[0], (uint32_t)args[2]);

	if (fd >= 0)
		process->files.is_close_on_exec[fd] = (uint32_t)args[1] !=
						      F_DUPFD;
	return fd;
}

static void set_flags(struct files *files, struct file *file, uint32_t flags)
{
	const uint32_t changed = O_APPEND | O_NONBLOCK;

	file->flags = (file->flags & ~changed) | (flags & changed);
	files->is_changed = true;
}

int64_t call_fcntl(struct linux_process *process, const uint64_t *args)
{
	struct files *files = &process->files;
	struct file *file = files_get(files, args[0]);

	if (!file)
		return -EBADF;
	switch ((uint32_t)args[1]) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate_from(process, args);
	case F_GETFD:
		return files->is_close_on_exec[args[0]] ? FD_CLOEXEC : 0;
	case F_SETFD:
		files->is_close_on_exec[args[0]] = args[2] & FD_CLOEXEC;
		files->is_changed = true;
		return 0;
	case F_GETFL:
		return file->flags;
	case F_SETFL:
		set_flags(files, file, (uint32_t)args[2]);
		return 0;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_file(process, (uint32_t)args[1], args[2]);
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
		return pipe_capacity(process, file, args);
	case F_GETLEASE:
		return F_UNLCK;
	/* who gets SIGIO: nobody, since nothing sends it */
	case F_GETOWN:
	case F_SETOWN:
	case F_GETSIG:
	case F_SETSIG:
		return 0;
	}
	return -EINVAL;
}

int64_t call_flock(struct linux_process *process, const uint64_t *args)
{
	const uint32_t operation = (uint32_t)args[1] & ~(uint32_t)LOCK_NB;

	if (operation != LOCK_SH && operation != LOCK_EX &&
	    operation != LOCK_UN)
		return -EINVAL;
	return files_get(&process->files, args[0]) ? 0 : -EBADF;
}

static int64_t set_nonblocking(struct linux_process *process, struct file *file,
			       uint64_t address)
{
	int32_t value;

	if (space_read(&process->space, address, &value, sizeof(value)))
		return -EFAULT;
	set_flags(&process->files, file,
		  value ? file->flags | O_NONBLOCK :
			  file->flags & ~(uint32_t)O_NONBLOCK);
	return 0;
}

/* Nothing is a terminal. */
int64_t call_ioctl(struct linux_process *process, const uint64_t *args)
{
	struct files *files = &process->files;
	struct file *file = files_get(files, args[0]);
	const uint32_t request = (uint32_t)args[1];
	int64_t r = -ENOTTY;

	if (!file)
		return -EBADF;
	switch (request) {
	case FIOCLEX:
	case FIONCLEX:
		files->is_close_on_exec[args[0]] = request == FIOCLEX;
		files->is_changed = true;
		return 0;
	case FIONBIO:
		return set_nonblocking(process, file, args[2]);
	}
	if (file->kind->ioctl)
		r = file->kind->ioctl(process, file, request, args[2]);
	return r == -ENOTTY && process->gunyah.is_on ?
		       file_gunyah_ioctl(process, file, request, args[2]) :
		       r;
}
