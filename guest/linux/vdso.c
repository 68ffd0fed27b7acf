/*
 * vdso.c - the clocks, as functions that C libraries look for: vdso(7). The host writes
 * the base of the clocks for each invocation, so they are right however old the snapshot
 * is.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <shim_arch.h>

#include "guest/linux/shim.h"

#define NS_PER_S 1000000000u
#define info ((const struct thaw_info *)THAW_GPA_INFO)
#define given ((const struct thaw_given *)THAW_GPA_GIVEN)

#define NAME SHIM_VDSO_NAME

/* C libraries look for them by name. */
#define EXPORT __attribute__((visibility("default")))
EXPORT int NAME(clock_gettime)(clockid_t clock, struct timespec *ret_time);
EXPORT int NAME(clock_getres)(clockid_t clock, struct timespec *ret_resolution);
EXPORT int NAME(gettimeofday)(struct timeval *ret_time,
			      struct timezone *ret_zone);

static uint64_t since_base_ns(void)
{
	const uint64_t ticks = shim_arch_counter() - info->counter_base;

	/* another CPU's counter may be a little behind */
	if ((int64_t)ticks < 0)
		return 0;
	return (uint64_t)((unsigned __int128)ticks * info->counter_mult >>
			  info->counter_shift);
}

bool shim_clock(clockid_t clock, struct timespec *ret_time)
{
	uint64_t ns = since_base_ns();

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		ns += info->realtime_base_ns;
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		ns += info->monotonic_base_ns;
		break;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		ns += given->used_ns;
		break;
	default:
		return false;
	}
	ret_time->tv_sec = (time_t)(ns / NS_PER_S);
	ret_time->tv_nsec = (long)(ns % NS_PER_S);
	return true;
}

int NAME(clock_gettime)(clockid_t clock, struct timespec *ret_time)
{
	if (shim_clock(clock, ret_time))
		return 0;
	return (int)shim_arch_call(SYS_clock_gettime, clock, (long)ret_time);
}

int NAME(clock_getres)(clockid_t clock, struct timespec *ret_resolution)
{
	return (int)shim_arch_call(SYS_clock_getres, clock,
				   (long)ret_resolution);
}

int NAME(gettimeofday)(struct timeval *ret_time, struct timezone *ret_zone)
{
	struct timespec now;

	if (ret_time) {
		shim_clock(CLOCK_REALTIME, &now);
		ret_time->tv_sec = now.tv_sec;
		ret_time->tv_usec = now.tv_nsec / 1000;
	}
	if (ret_zone)
		*ret_zone = (struct timezone){ 0, 0 };
	return 0;
}

EXPORT time_t NAME(time)(time_t *ret_time);
EXPORT long NAME(getcpu)(unsigned *ret_cpu, unsigned *ret_node, void *unused);

time_t NAME(time)(time_t *ret_time)
{
	struct timespec now;

	shim_clock(CLOCK_REALTIME, &now);
	if (ret_time)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}

/* One CPU. */
long NAME(getcpu)(unsigned *ret_cpu, unsigned *ret_node, void *unused)
{
	(void)unused;
	if (ret_cpu)
		*ret_cpu = 0;
	if (ret_node)
		*ret_node = 0;
	return 0;
}
