/* calls_event.c - see calls_event.h. */
#include "executor/linux/calls_event.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/clock.h"
#include "executor/linux/file_event.h"
#include "executor/linux/file_timer.h"
#include "executor/linux/process.h"
#include "executor/linux/wait.h"

static int64_t make_event(struct linux_process *process, uint64_t count,
			  uint32_t flags)
{
	int fd;

	if (flags & ~(uint32_t)(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK))
		return -EINVAL;
	fd = files_open(&process->files, &file_event,
			O_RDWR | (flags & (EFD_CLOEXEC | EFD_NONBLOCK)), NULL);
	if (fd >= 0)
		files_get(&process->files, (uint64_t)fd)->event =
			(struct file_event){
				.count = (uint32_t)count,
				.is_semaphore = (flags & EFD_SEMAPHORE) != 0,
			};
	return fd;
}

int64_t call_eventfd(struct linux_process *process, const uint64_t *args)
{
	return make_event(process, args[0], 0);
}

int64_t call_eventfd2(struct linux_process *process, const uint64_t *args)
{
	return make_event(process, args[0], (uint32_t)args[1]);
}

int64_t call_timerfd_create(struct linux_process *process, const uint64_t *args)
{
	const uint32_t clock = (uint32_t)args[0], flags = (uint32_t)args[1];
	int fd;

	if (flags & ~(uint32_t)(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	if (clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM)
		return -EPERM;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC &&
	    clock != CLOCK_BOOTTIME)
		return -EINVAL;
	fd = files_open(&process->files, &file_timer, O_RDWR | flags, NULL);
	if (fd < 0)
		return fd;
	files_get(&process->files, (uint64_t)fd)->timer =
		(struct file_timer){ .clock = (int32_t)clock };
	process->files.timers++;
	return fd;
}

static int find_timer(struct linux_process *process, uint64_t fd,
		      struct file **ret_file)
{
	struct file *file = files_get(&process->files, fd);

	if (!file)
		return -EBADF;
	if (file->kind != &file_timer)
		return -EINVAL;
	*ret_file = file;
	return 0;
}

/* Writes what timerfd_gettime() says of @file. */
static int64_t put_timer(struct linux_process *process, struct file *file,
			 uint64_t to)
{
	const uint64_t left_ns = file_timer_left(process, file);
	const uint64_t every_ns = file->timer.every_ns;
	const struct itimerspec value = {
		.it_interval = { (time_t)(every_ns / NS_PER_S),
				 (long)(every_ns % NS_PER_S) },
		.it_value = { (time_t)(left_ns / NS_PER_S),
			      (long)(left_ns % NS_PER_S) },
	};

	return space_write(&process->space, to, &value, sizeof(value));
}

int64_t call_timerfd_gettime(struct linux_process *process,
			     const uint64_t *args)
{
	struct file *file;
	int r = find_timer(process, args[0], &file);

	return r ? r : put_timer(process, file, args[1]);
}

int64_t call_timerfd_settime(struct linux_process *process,
			     const uint64_t *args)
{
	const bool is_absolute = args[1] & TFD_TIMER_ABSTIME;
	uint64_t every_ns, next_ns;
	struct file *file;
	int r;

	if ((uint32_t)args[1] &
	    ~(uint32_t)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return -EINVAL;
	r = linux_wait_read_time(process, args[2], &every_ns);
	if (!r)
		r = linux_wait_read_time(process,
					 args[2] + sizeof(struct timespec),
					 &next_ns);
	if (!r)
		r = find_timer(process, args[0], &file);
	if (!r && args[3] && put_timer(process, file, args[3]))
		r = -EFAULT;
	if (r)
		return r;
	if (next_ns)
		next_ns = linux_wait_end(process, file->timer.clock,
					 !is_absolute, next_ns);
	file_timer_set(process, file, next_ns, every_ns);
	return 0;
}
