/*
 * wait.h - system calls that cannot be completed now. Such a call waits: it is done
 * again, with the same arguments, when something may have changed or its time is over.
 *
 *	if (it can be completed)
 *		return result;
 *	if (linux_wait_is_over(process))
 *		return -ETIMEDOUT;
 *	return linux_wait(process, until_ns);
 *
 * It may be done again for no reason, so it looks at everything anew.
 */
#ifndef EXECUTOR_LINUX_WAIT_H
#define EXECUTOR_LINUX_WAIT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct linux_process;

/* For calls without a time limit. */
#define LINUX_WAIT_FOREVER UINT64_MAX

/*
 * Has the call that is being done wait until @until_ns (CLOCK_MONOTONIC) at most, or
 * LINUX_WAIT_FOREVER. A call that is done again keeps the time that it said first.
 * Returns 0, which the program never sees.
 */
int64_t linux_wait(struct linux_process *process, uint64_t until_ns);

/*
 * Notes that something has changed for which others may wait. Of a call that is
 * completed, or begins to wait, that is known; one that goes on waiting says it.
 */
void linux_wait_changed(struct linux_process *process);

/* Whether the call that is being done has waited before. */
bool linux_wait_is_begun(const struct linux_process *process);

/* Whether it has waited, and its time is over. */
bool linux_wait_is_over(const struct linux_process *process);

/*
 * Reads the struct timespec at @address of the program; very long times are cut to some
 * hundred years. 0, -EFAULT, or -EINVAL.
 */
int linux_wait_read_time(const struct linux_process *process, uint64_t address,
			 uint64_t *ret_ns);

/* What @clock of the host is for the program, which may have been frozen later than now. */
uint64_t linux_clock_ns(const struct linux_process *process, clockid_t clock);

/*
 * When it is @at_ns by @clock of the program, in CLOCK_MONOTONIC of the host. If
 * @is_relative, @at_ns counts from now.
 */
uint64_t linux_wait_end(const struct linux_process *process, clockid_t clock,
			bool is_relative, uint64_t at_ns);

#endif
