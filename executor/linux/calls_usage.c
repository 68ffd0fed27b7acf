/*
 * calls_usage.c - see calls_usage.h. Time of the CPU is the program's own, all of it:
 * what the host does for its calls is not told apart. References: getrusage(2), times(2),
 * getpriority(2).
 */
#include "executor/linux/calls_usage.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/times.h>

#include "base/clock.h"
#include "executor/linux/process.h"
#include "executor/linux/shim.h"
#include "executor/linux/wait.h"

/* Who the program is: see load.c. */
#define USER_ID 65534
#define PROCESS_ID 1
/* As in Linux for user space, whatever the kernel has. */
#define TICKS_PER_S 100
#define NICE_MOST 19
/* getpriority() returns the nice value taken from this, so that it is no error. */
#define NICE_ZERO 20

int64_t call_getrusage(struct linux_process *process, const uint64_t *args)
{
	const uint64_t used_ns = shim_cpu_time_ns(process);
	struct rusage usage;

	memset(&usage, 0, sizeof(usage));
	switch ((int32_t)args[0]) {
	case RUSAGE_SELF:
	case RUSAGE_THREAD:
		usage.ru_utime.tv_sec = (time_t)(used_ns / NS_PER_S);
		usage.ru_utime.tv_usec =
			(suseconds_t)(used_ns % NS_PER_S / NS_PER_US);
		usage.ru_maxrss =
			(long)(space_mapped(&process->space, 0) >> 10);
		break;
	case RUSAGE_CHILDREN:
		break;
	default:
		return -EINVAL;
	}
	return space_write(&process->space, args[1], &usage, sizeof(usage));
}

int64_t call_times(struct linux_process *process, const uint64_t *args)
{
	const uint64_t tick_ns = NS_PER_S / TICKS_PER_S;
	const struct tms used = {
		.tms_utime = (clock_t)(shim_cpu_time_ns(process) / tick_ns),
	};

	if (args[0] &&
	    space_write(&process->space, args[0], &used, sizeof(used)))
		return -EFAULT;
	return (int64_t)(linux_clock_ns(process, CLOCK_MONOTONIC) / tick_ns);
}

/* 0: the program itself is meant, or those of which it is the only one. */
static int find_named(const struct linux_process *process, uint64_t which,
		      uint64_t who)
{
	const uint32_t id = (uint32_t)who;

	switch ((uint32_t)which) {
	case PRIO_PROCESS:
		return !id || threads_find(&process->threads, (int32_t)id) ?
			       0 :
			       -ESRCH;
	case PRIO_PGRP:
		return !id || id == PROCESS_ID ? 0 : -ESRCH;
	case PRIO_USER:
		return !id || id == USER_ID ? 0 : -ESRCH;
	}
	return -EINVAL;
}

int64_t call_getpriority(struct linux_process *process, const uint64_t *args)
{
	const int r = find_named(process, args[0], args[1]);

	return r ? r : NICE_ZERO - process->nice;
}

int64_t call_setpriority(struct linux_process *process, const uint64_t *args)
{
	const int r = find_named(process, args[0], args[1]);
	int nice = (int32_t)args[2];

	if (r)
		return r;
	if (nice > NICE_MOST)
		nice = NICE_MOST;
	/* it may take less than it has, and no more */
	if (nice < process->nice)
		return -EACCES;
	process->nice = nice;
	return 0;
}
