/* file_stdio.c - see file_stdio.h. */
#include "executor/linux/file_stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "executor/linux/gunyah_console.h"
#include "executor/linux/process.h"
#include "executor/linux/transfer.h"

/* A call logs at most so many bytes: lines are handed over one by one. */
#define LOG_MAX (1u << 20)

/* Whether there is a request; if not, the program is frozen. */
static bool has_request(struct linux_process *process)
{
	if (!process->is_request)
		process->step = LINUX_INPUT;
	return process->is_request;
}

static size_t input_left(const struct linux_process *process)
{
	/* requests come by /dev/thaw: here is the end of the file */
	return process->device.is_asked ? 0 :
					  process->request.input_size -
						  process->request.input_used;
}

static int64_t input_read(struct linux_process *process, struct file *file,
			  uint64_t *offset, struct transfer *transfer)
{
	struct linux_request *request = &process->request;
	size_t size, done;

	(void)file;
	(void)offset;
	if (!has_request(process))
		return 0;
	size = input_left(process);
	if (size > transfer->left)
		size = transfer->left;
	done = transfer_put(transfer, request->input + request->input_used,
			    size);
	request->input_used += done;
	return transfer_result(done, size);
}

/*
 * It can be read at once: there is a request, or its end. A pipe that has ended says
 * POLLHUP; who waits for POLLIN alone must see the end as well.
 */
static void input_poll(struct linux_process *process, const struct file *file,
		       uint32_t wanted, struct file_poll *ret)
{
	(void)file;
	if (!(wanted & (POLLIN | POLLRDNORM)) || !has_request(process))
		return;
	ret->events = POLLIN | POLLRDNORM;
	if (!input_left(process))
		ret->events |= POLLHUP;
	ret->readable = input_left(process) ? 1 : 2;
}

static int64_t input_ioctl(struct linux_process *process, struct file *file,
			   uint64_t request, uint64_t argument)
{
	int left;

	(void)file;
	if (request != FIONREAD)
		return -ENOTTY;
	if (!has_request(process))
		return 0;
	left = (int)input_left(process);
	return space_write(&process->space, argument, &left, sizeof(left));
}

static void input_status(struct linux_process *process, const struct file *file,
			 struct stat *ret)
{
	(void)process;
	(void)file;
	ret->st_mode = S_IFIFO | S_IRUSR;
}

static int64_t log_write(struct linux_process *process, struct file *file,
			 uint64_t *offset, struct transfer *transfer)
{
	const size_t most = transfer->left < LOG_MAX ? transfer->left : LOG_MAX;
	const size_t wanted = gunyah_console_room(process, most);
	size_t done = 0, size;
	const void *bytes;

	(void)file;
	(void)offset;
	while ((bytes = transfer_take(transfer, wanted - done, &size))) {
		linux_process_log(process, bytes, size);
		gunyah_console_put(process, bytes, size);
		done += size;
	}
	return transfer_result(done, wanted);
}

static int64_t output_write(struct linux_process *process, struct file *file,
			    uint64_t *offset, struct transfer *transfer)
{
	const size_t wanted = gunyah_console_room(process, transfer->left);
	size_t done = 0, size;
	const void *bytes;

	/* the reply goes to /dev/thaw */
	if (process->device.is_asked)
		return log_write(process, file, offset, transfer);
	while ((bytes = transfer_take(transfer, wanted - done, &size))) {
		linux_process_output(process, bytes, size);
		gunyah_console_put(process, bytes, size);
		done += size;
	}
	return transfer_result(done, wanted);
}

static void output_poll(struct linux_process *process, const struct file *file,
			uint32_t wanted, struct file_poll *ret)
{
	(void)process;
	(void)file;
	(void)wanted;
	ret->events = POLLOUT | POLLWRNORM;
}

static void output_status(struct linux_process *process,
			  const struct file *file, struct stat *ret)
{
	(void)process;
	(void)file;
	ret->st_mode = S_IFIFO | S_IWUSR;
}

const struct file_kind file_input = {
	.name = "pipe:[1]",
	.read = input_read,
	.poll = input_poll,
	.ioctl = input_ioctl,
	.status = input_status,
};

const struct file_kind file_output = {
	.name = "pipe:[2]",
	.write = output_write,
	.poll = output_poll,
	.status = output_status,
};

const struct file_kind file_log = {
	.name = "pipe:[3]",
	.write = log_write,
	.poll = output_poll,
	.status = output_status,
};

void file_stdio_open(struct files *files)
{
	(void)files_open(files, &file_input, O_RDONLY, NULL);
	(void)files_open(files, &file_output, O_WRONLY, NULL);
	(void)files_open(files, &file_log, O_WRONLY, NULL);
}
