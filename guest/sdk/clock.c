/*
 * clock.c - time from the info page, without an exit. The host sets the base
 * anew for every invocation, so it is right however old the snapshot is.
 */
#include <errno.h>
#include <sys/time.h>
#include <time.h>

#include <thaw_arch.h>

#include "sdk.h"

#define NS_PER_S 1000000000u

/* An exit and an entry are worth it from here on. */
#define SLEEP_OUTSIDE_NS 1000000u

static uint64_t since_base_ns(void)
{
	uint64_t ticks = thaw_arch_counter() - thaw_info->counter_base;

	/* another CPU's counter may be a little behind */
	if ((int64_t)ticks < 0)
		return 0;
	return (uint64_t)((unsigned __int128)ticks * thaw_info->counter_mult >>
			  thaw_info->counter_shift);
}

static void split(uint64_t ns, struct timespec *ret_time)
{
	ret_time->tv_sec = (time_t)(ns / NS_PER_S);
	ret_time->tv_nsec = (long)(ns % NS_PER_S);
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	switch (clock) {
	case CLOCK_REALTIME:
		split(thaw_info->realtime_base_ns + since_base_ns(), ret_time);
		return 0;
	case CLOCK_MONOTONIC:
		split(thaw_info->monotonic_base_ns + since_base_ns(), ret_time);
		return 0;
	default:
		errno = EINVAL;
		return -1;
	}
}

int clock_getres(clockid_t clock, struct timespec *ret_resolution)
{
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
		errno = EINVAL;
		return -1;
	}
	if (ret_resolution)
		split(1, ret_resolution);
	return 0;
}

/*
 * Long waits are spent outside the guest, where they cost nothing; the rest, and
 * short ones, in place.
 */
static void wait_until(uint64_t end)
{
	uint64_t now = since_base_ns();

	if (end > now && end - now >= SLEEP_OUTSIDE_NS) {
		thaw_mailbox->sleep_ns = end - now;
		thaw_arch_ring(THAW_BELL_SLEEP);
	}
	while (since_base_ns() < end)
		;
}

/* @duration from now on, or the last nanosecond there is. */
static uint64_t end_of(const struct timespec *duration)
{
	uint64_t end;

	if (__builtin_mul_overflow((uint64_t)duration->tv_sec, NS_PER_S,
				   &end) ||
	    __builtin_add_overflow(end, (uint64_t)duration->tv_nsec, &end) ||
	    __builtin_add_overflow(end, since_base_ns(), &end))
		return UINT64_MAX;
	return end;
}

int nanosleep(const struct timespec *duration, struct timespec *ret_rest)
{
	if (duration->tv_sec < 0 || duration->tv_nsec < 0 ||
	    duration->tv_nsec >= (long)NS_PER_S) {
		errno = EINVAL;
		return -1;
	}
	wait_until(end_of(duration));
	if (ret_rest)
		*ret_rest = (struct timespec){ 0 };
	return 0;
}

/* A guest's processor time is the time since its invocation began. */
clock_t clock(void)
{
	return (clock_t)(since_base_ns() / (NS_PER_S / CLOCKS_PER_SEC));
}

int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now))
		return -1;
	ret_time->tv_sec = now.tv_sec;
	ret_time->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *ret_time)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now))
		return (time_t)-1;
	if (ret_time)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}

int timespec_get(struct timespec *ret_time, int base)
{
	if (base != TIME_UTC || clock_gettime(CLOCK_REALTIME, ret_time))
		return 0;
	return base;
}
