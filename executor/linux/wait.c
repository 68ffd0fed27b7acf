/* wait.c - see wait.h. */
#include "executor/linux/wait.h"

#include <errno.h>

#include "base/clock.h"
#include "executor/linux/process.h"

/* No time is longer, so that two of them can be added. */
#define TIME_MAX (UINT64_MAX / 4)

int64_t linux_wait(struct linux_process *process, uint64_t until_ns)
{
	struct linux_wait *wait = &process->threads.current->wait;

	if (!wait->is_begun) {
		wait->until_ns = until_ns;
		wait->done = 0;
	}
	wait->is_begun = true;
	process->step = LINUX_WAIT;
	return 0;
}

void linux_wait_changed(struct linux_process *process)
{
	process->threads.calls++;
}

bool linux_wait_is_begun(const struct linux_process *process)
{
	return process->threads.current->wait.is_begun;
}

bool linux_wait_is_over(const struct linux_process *process)
{
	const struct linux_wait *wait = &process->threads.current->wait;

	return wait->is_begun && wait->until_ns != LINUX_WAIT_FOREVER &&
	       clock_now_ns() >= wait->until_ns;
}

int linux_wait_read_time(const struct linux_process *process, uint64_t address,
			 uint64_t *ret_ns)
{
	struct timespec time;

	if (space_read(&process->space, address, &time, sizeof(time)))
		return -EFAULT;
	if (time.tv_sec < 0 || time.tv_nsec < 0 ||
	    time.tv_nsec >= (long)NS_PER_S)
		return -EINVAL;
	*ret_ns = (uint64_t)time.tv_sec >= TIME_MAX / NS_PER_S ?
			  TIME_MAX :
			  (uint64_t)time.tv_sec * NS_PER_S +
				  (uint64_t)time.tv_nsec;
	return 0;
}

uint64_t linux_clock_ns(const struct linux_process *process, clockid_t clock)
{
	switch (clock) {
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		return clock_read_ns(clock) + process->ahead_ns;
	default:
		return clock_read_ns(clock);
	}
}

uint64_t linux_wait_end(const struct linux_process *process, clockid_t clock,
			bool is_relative, uint64_t at_ns)
{
	const uint64_t now_ns = is_relative ? 0 :
					      linux_clock_ns(process, clock);

	return clock_now_ns() + (at_ns > now_ns ? at_ns - now_ns : 0);
}
