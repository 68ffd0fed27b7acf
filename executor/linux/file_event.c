/* file_event.c - see file_event.h. */
#include "executor/linux/file_event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "executor/linux/process.h"
#include "executor/linux/transfer.h"
#include "executor/linux/wait.h"

static int64_t event_read(struct linux_process *process, struct file *file,
			  uint64_t *offset, struct transfer *transfer)
{
	struct file_event *event = &file->event;
	const uint64_t value = event->is_semaphore ? 1 : event->count;

	(void)offset;
	if (transfer->left < sizeof(value))
		return -EINVAL;
	if (!event->count)
		return file->flags & O_NONBLOCK ?
			       -EAGAIN :
			       linux_wait(process, LINUX_WAIT_FOREVER);
	event->count -= value;
	event->writable++;
	process->files.is_changed = true;
	return transfer_put(transfer, &value, sizeof(value)) == sizeof(value) ?
		       (int64_t)sizeof(value) :
		       -EFAULT;
}

static int take_value(struct transfer *transfer, uint64_t *ret_value)
{
	uint8_t bytes[sizeof(*ret_value)];
	size_t done = 0, size;

	while (done < sizeof(bytes)) {
		const void *part =
			transfer_take(transfer, sizeof(bytes) - done, &size);

		if (!part)
			return -EFAULT;
		memcpy(bytes + done, part, size);
		done += size;
	}
	memcpy(ret_value, bytes, sizeof(bytes));
	return 0;
}

static int64_t event_write(struct linux_process *process, struct file *file,
			   uint64_t *offset, struct transfer *transfer)
{
	struct file_event *event = &file->event;
	uint64_t value;

	(void)offset;
	if (transfer->left < sizeof(value))
		return -EINVAL;
	if (take_value(transfer, &value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	if (value >= UINT64_MAX - event->count)
		return file->flags & O_NONBLOCK ?
			       -EAGAIN :
			       linux_wait(process, LINUX_WAIT_FOREVER);
	event->count += value;
	event->readable++;
	process->files.is_changed = true;
	return sizeof(value);
}

static void event_poll(struct linux_process *process, const struct file *file,
		       uint32_t wanted, struct file_poll *ret)
{
	(void)process;
	(void)wanted;
	if (file->event.count)
		ret->events |= POLLIN | POLLRDNORM;
	if (file->event.count < UINT64_MAX - 1)
		ret->events |= POLLOUT | POLLWRNORM;
	ret->readable = file->event.readable;
	ret->writable = file->event.writable;
}

void file_event_status(struct linux_process *process, const struct file *file,
		       struct stat *ret)
{
	(void)process;
	(void)file;
	ret->st_mode = S_IRUSR | S_IWUSR;
}

const struct file_kind file_event = {
	.name = "anon_inode:[eventfd]",
	.read = event_read,
	.write = event_write,
	.poll = event_poll,
	.status = file_event_status,
};
