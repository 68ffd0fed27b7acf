/* device.c - see device.h. */
#include "executor/linux/device.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "executor/linux/files.h"
#include "executor/linux/process.h"
#include "executor/linux/transfer.h"

int device_request(struct linux_process *process,
		   const struct device_call *call, size_t reply_max)
{
	struct linux_device *device = &process->device;

	device->line.max = SIZE_MAX;
	buffer_clear(&device->line);
	device_line_write(call, &device->line);
	if (device->line.failed)
		return -ENOMEM;
	/* a line break ends it */
	linux_process_request(process, device->line.data, device->line.size,
			      reply_max + 1);
	device->has_request = true;
	return 0;
}

static const struct linux_warm *warm_of(const struct linux_process *process)
{
	return &process->program->warm;
}

/* The first time, what the program has written to standard output is no reply. */
static void device_begin(struct linux_process *process)
{
	struct buffer *output = &process->request.output;

	if (process->device.is_asked)
		return;
	process->device.is_asked = true;
	if (output->size)
		linux_process_log(process, output->data, output->size);
	buffer_clear(output);
}

/* Gives the program its warm_input, unless that is no call: then it ends. */
static bool device_warm_up(struct linux_process *process)
{
	const struct linux_warm *warm = warm_of(process);

	if (!process->device.warmed && device_line_check(&warm->call, NULL)) {
		process->step = LINUX_EXIT;
		return false;
	}
	return !device_request(process, &warm->call, warm->reply_max);
}

/*
 * Whether there is a request. If not, the program gets the next one of warm_input, or
 * is frozen.
 */
static bool device_ask(struct linux_process *process)
{
	struct linux_device *device = &process->device;
	const struct linux_warm *warm = warm_of(process);

	/* standard input was first */
	if (process->is_frozen && !device->is_asked)
		return false;
	device_begin(process);
	if (device->has_request)
		return true;
	if (!process->is_frozen && device->warmed < warm->count)
		return device_warm_up(process);
	process->step = LINUX_INPUT;
	process->is_request = false;
	return false;
}

size_t device_reply_size(const struct linux_process *process)
{
	const struct buffer *output = &process->request.output;

	return output->size && output->data[output->size - 1] == '\n' ?
		       output->size - 1 :
		       output->size;
}

int device_take_reply(const struct linux_process *process, struct error *err,
		      struct device_reply *ret_reply)
{
	const struct buffer *output = &process->request.output;
	int r;

	if (output->failed || device_reply_size(process) >= output->max)
		return error_set(err, -E2BIG,
				 "the program has written more than max_reply "
				 "of %zu bytes to " DEVICE_PATH,
				 output->max - 1);
	if (!output->size)
		return 0;
	r = device_reply_read(output->data, output->size, err, ret_reply);
	return r ? r : 1;
}

bool device_has_failed(const struct linux_process *process, struct error *err)
{
	const struct linux_warm *warm = warm_of(process);
	struct device_reply reply = { .is_error = false };
	int r;

	if (process->is_frozen || !process->device.is_asked ||
	    process->device.has_request)
		return false;
	if (!process->device.warmed) {
		r = warm->count ? device_line_check(&warm->call, err) : 0;
		if (r)
			error_prefix(err, r, "warm_input");
		return r != 0;
	}
	r = device_take_reply(process, err, &reply);
	if (r > 0 && reply.is_error)
		error_set(err, -ECANCELED, "%s: %s", reply.type, reply.message);
	else if (r >= 0)
		return false;
	error_prefix(err, r, "the reply to warm_input, run %u of %u",
		     process->device.warmed, warm->count);
	return true;
}

/* The reply is complete: the invocation ends, or, before the snapshot, goes on. */
static void device_end(struct linux_process *process)
{
	struct buffer *output = &process->request.output;
	struct error err;

	process->device.has_request = false;
	if (process->is_frozen) {
		process->step = LINUX_EXIT;
		return;
	}
	process->device.warmed++;
	if (device_has_failed(process, &err))
		process->step = LINUX_EXIT;
	else
		buffer_clear(output);
}

/* A reply that has begun is ended by the next read, too. */
static bool device_ends_reply(struct linux_process *process)
{
	if (process->device.has_request && process->request.output.size)
		device_end(process);
	return process->step == LINUX_EXIT;
}

static int64_t thaw_read(struct linux_process *process, struct file *file,
			 uint64_t *offset, struct transfer *transfer)
{
	struct linux_request *request = &process->request;
	size_t size, done;

	(void)file;
	(void)offset;
	if (device_ends_reply(process) || !device_ask(process))
		return 0;
	size = request->input_size - request->input_used;
	if (size > transfer->left)
		size = transfer->left;
	done = transfer_put(transfer, request->input + request->input_used,
			    size);
	request->input_used += done;
	return transfer_result(done, size);
}

static int64_t thaw_write(struct linux_process *process, struct file *file,
			  uint64_t *offset, struct transfer *transfer)
{
	struct buffer *output = &process->request.output;
	const size_t wanted = transfer->left;
	bool is_end = false;
	size_t done = 0, size;
	const void *bytes;

	(void)file;
	(void)offset;
	if (!process->device.has_request)
		return -EINVAL;
	while ((bytes = transfer_take(transfer, wanted, &size))) {
		buffer_append(output, bytes, size);
		is_end = is_end || memchr(bytes, '\n', size);
		done += size;
	}
	if (is_end || output->failed)
		device_end(process);
	return transfer_result(done, wanted);
}

/* If not, the process does not go on: it is frozen, or has ended. */
static bool device_is_readable(struct linux_process *process)
{
	if (!device_ends_reply(process))
		(void)device_ask(process);
	return process->step == LINUX_GO_ON;
}

static void thaw_poll(struct linux_process *process, const struct file *file,
		      uint32_t wanted, struct file_poll *ret)
{
	(void)file;
	ret->events = POLLOUT | POLLWRNORM;
	if ((wanted & (POLLIN | POLLRDNORM)) && !device_is_readable(process))
		return;
	ret->events |= POLLIN | POLLRDNORM;
	ret->readable = 1;
}

static void thaw_status(struct linux_process *process, const struct file *file,
			struct stat *ret)
{
	(void)process;
	(void)file;
	ret->st_mode = S_IFCHR | 0666;
}

const struct file_kind file_thaw = {
	.name = DEVICE_PATH,
	.read = thaw_read,
	.write = thaw_write,
	.poll = thaw_poll,
	.status = thaw_status,
};
