/* file_pipe.c - see file_pipe.h. */
#include "executor/linux/file_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "executor/linux/process.h"
#include "executor/linux/transfer.h"
#include "executor/linux/wait.h"

/* Inodes of pipes are behind those of other files. */
#define FIRST_INODE 1000

struct pipe *file_pipe(struct linux_process *process, const struct file *file)
{
	if (file->kind != &file_pipe_reader && file->kind != &file_pipe_writer)
		return NULL;
	return &process->files.pipes.list[file->pipe];
}

static int64_t pipe_read(struct linux_process *process, struct file *file,
			 uint64_t *offset, struct transfer *transfer)
{
	struct pipe *pipe = file_pipe(process, file);
	const size_t wanted = transfer->left;
	size_t done = 0;

	(void)offset;
	if (!wanted || (!pipe->size && !pipe->writers))
		return 0;
	if (!pipe->size)
		return file->flags & O_NONBLOCK ?
			       -EAGAIN :
			       linux_wait(process, LINUX_WAIT_FOREVER);
	while (pipe->size && done < wanted) {
		size_t size, put;
		const uint8_t *bytes = pipe_view(pipe, &size);

		if (size > wanted - done)
			size = wanted - done;
		put = transfer_put(transfer, bytes, size);
		pipe_take(pipe, put);
		done += put;
		if (put < size)
			break;
	}
	pipe->writable++;
	process->files.pipes.is_changed = true;
	return transfer_result(done, wanted);
}

/* Puts in what there is room for. Returns how much; -EFAULT, -ENOMEM. */
static int64_t put_all(struct pipe *pipe, struct transfer *transfer)
{
	size_t done = 0, size;

	while (transfer->left && pipe->size < pipe->capacity) {
		const void *bytes = transfer_take(transfer,
						  pipe->capacity - pipe->size,
						  &size);
		int64_t n = -EFAULT;

		if (bytes)
			n = pipe_put(pipe, bytes, size);
		if (n < 0)
			return done ? (int64_t)done : n;
		done += size;
	}
	return (int64_t)done;
}

static int64_t broken_pipe(struct linux_process *process)
{
	signal_raise(&process->signals, SIGPIPE);
	return -EPIPE;
}

/*
 * A write of PIPE_BUF bytes is in one piece. A larger one that waits goes on where it
 * was, which is noted with the call.
 */
static int64_t pipe_write(struct linux_process *process, struct file *file,
			  uint64_t *offset, struct transfer *transfer)
{
	struct linux_wait *wait = &process->threads.current->wait;
	struct pipe *pipe = file_pipe(process, file);
	const size_t wanted = transfer->left;
	const size_t before = wait->is_begun ? wait->done : 0;
	const size_t room = pipe->capacity - pipe->size;
	int64_t n = 0;

	(void)offset;
	if (!wanted)
		return 0;
	if (!pipe->readers)
		return before ? (int64_t)before : broken_pipe(process);
	transfer_skip(transfer, before);
	if (wanted > PIPE_BUF || room >= wanted)
		n = put_all(pipe, transfer);
	if (n < 0)
		return before ? (int64_t)before : n;
	if (n > 0) {
		pipe->readable++;
		process->files.pipes.is_changed = true;
	}
	if (before + (size_t)n == wanted || (file->flags & O_NONBLOCK))
		return before || n ? (int64_t)before + n : -EAGAIN;
	/* it stopped at a buffer that cannot be read */
	if (n && pipe->size < pipe->capacity)
		return (int64_t)before + n;
	linux_wait(process, LINUX_WAIT_FOREVER);
	wait->done = before + (size_t)n;
	if (n)
		linux_wait_changed(process);
	return 0;
}

static void reader_poll(struct linux_process *process, const struct file *file,
			uint32_t wanted, struct file_poll *ret)
{
	const struct pipe *pipe = file_pipe(process, file);

	(void)wanted;
	if (pipe->size)
		ret->events |= POLLIN | POLLRDNORM;
	if (!pipe->writers)
		ret->events |= POLLHUP;
	ret->readable = pipe->readable;
}

static void writer_poll(struct linux_process *process, const struct file *file,
			uint32_t wanted, struct file_poll *ret)
{
	const struct pipe *pipe = file_pipe(process, file);

	(void)wanted;
	if (pipe->capacity - pipe->size >= PIPE_BUF)
		ret->events |= POLLOUT | POLLWRNORM;
	if (!pipe->readers)
		ret->events |= POLLERR;
	ret->writable = pipe->writable;
}

static int64_t pipe_ioctl(struct linux_process *process, struct file *file,
			  uint64_t request, uint64_t argument)
{
	const int size = (int)file_pipe(process, file)->size;

	if (request != FIONREAD)
		return -ENOTTY;
	return space_write(&process->space, argument, &size, sizeof(size));
}

static void pipe_status(struct linux_process *process, const struct file *file,
			struct stat *ret)
{
	(void)process;
	ret->st_mode = S_IFIFO | S_IRUSR | S_IWUSR;
	ret->st_ino = FIRST_INODE + file->pipe;
}

static void reader_close(struct linux_process *process, struct file *file)
{
	pipes_drop(&process->files.pipes, file->pipe, false);
}

static void writer_close(struct linux_process *process, struct file *file)
{
	pipes_drop(&process->files.pipes, file->pipe, true);
}

const struct file_kind file_pipe_reader = {
	.name = "pipe:[1000]",
	.read = pipe_read,
	.poll = reader_poll,
	.ioctl = pipe_ioctl,
	.status = pipe_status,
	.close = reader_close,
};

const struct file_kind file_pipe_writer = {
	.name = "pipe:[1000]",
	.write = pipe_write,
	.poll = writer_poll,
	.ioctl = pipe_ioctl,
	.status = pipe_status,
	.close = writer_close,
};
