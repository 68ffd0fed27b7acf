/* calls_timer.c - see calls_timer.h. */
#include "executor/linux/calls_timer.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "base/clock.h"
#include "executor/linux/process.h"
#include "executor/linux/wait.h"

/* struct sigevent of the kernel's interface. */
struct event {
	uint64_t value;
	int32_t number;
	int32_t notify;
	int32_t thread;
	int32_t padding[11];
};

_Static_assert(sizeof(struct event) == sizeof(struct sigevent), "the kernel's");

/* Longer times are as good as this one, which can be added to any clock's. */
#define LONGEST_NS (UINT64_MAX / 4)

static uint64_t to_ns(int64_t seconds, uint64_t ns)
{
	return (uint64_t)seconds >= LONGEST_NS / NS_PER_S ?
		       LONGEST_NS :
		       (uint64_t)seconds * NS_PER_S + ns;
}

static int interval_ns(const struct timeval *time, uint64_t *ret_ns)
{
	if (time->tv_sec < 0 || time->tv_usec < 0 ||
	    time->tv_usec >= (long)(NS_PER_S / NS_PER_US))
		return -EINVAL;
	*ret_ns = to_ns(time->tv_sec, (uint64_t)time->tv_usec * NS_PER_US);
	return 0;
}

static struct timeval to_interval(uint64_t ns)
{
	/* what is armed is never 0 */
	const uint64_t us = (ns + NS_PER_US - 1) / NS_PER_US;

	return (struct timeval){ (time_t)(us / (NS_PER_S / NS_PER_US)),
				 (suseconds_t)(us % (NS_PER_S / NS_PER_US)) };
}

static struct itimerval interval_of(const struct signal_timers *timers,
				    const struct signal_timer *timer)
{
	return (struct itimerval){
		.it_value = to_interval(signal_timer_left(timers, timer)),
		.it_interval = to_interval(timer->every_ns),
	};
}

int64_t call_getitimer(struct linux_process *process, const uint64_t *args)
{
	const struct signal_timers *timers = &process->signals.timers;
	struct itimerval now;

	if (args[0] >= SIGNAL_TIMERS_OWN)
		return -EINVAL;
	now = interval_of(timers, &timers->list[args[0]]);
	return space_write(&process->space, args[1], &now, sizeof(now));
}

int64_t call_setitimer(struct linux_process *process, const uint64_t *args)
{
	struct signal_timers *timers = &process->signals.timers;
	struct itimerval new = { 0 }, old;
	uint64_t left_ns, every_ns;
	struct signal_timer *timer;
	int r;

	if (args[1] && space_read(&process->space, args[1], &new, sizeof(new)))
		return -EFAULT;
	r = interval_ns(&new.it_value, &left_ns);
	if (!r)
		r = interval_ns(&new.it_interval, &every_ns);
	if (r || args[0] >= SIGNAL_TIMERS_OWN)
		return -EINVAL;
	timer = &timers->list[args[0]];
	old = interval_of(timers, timer);
	process->signals.is_changed = true;
	signal_timer_set(timers, timer, left_ns, every_ns);
	return args[2] ? space_write(&process->space, args[2], &old,
				     sizeof(old)) :
			 0;
}

int64_t call_alarm(struct linux_process *process, const uint64_t *args)
{
	struct signal_timers *timers = &process->signals.timers;
	struct signal_timer *timer = &timers->list[ITIMER_REAL];
	const uint64_t left_ns = signal_timer_left(timers, timer);
	/* rounded, but not to 0 */
	const uint64_t left = (left_ns + NS_PER_S / 2) / NS_PER_S;

	process->signals.is_changed = true;
	signal_timer_set(timers, timer, to_ns((int64_t)(uint32_t)args[0], 0),
			 0);
	return left_ns && !left ? 1 : (int64_t)left;
}

/* The timer that timer_create() has called @id, or NULL. */
static struct signal_timer *find_timer(struct linux_process *process,
				       uint64_t id)
{
	struct signal_timer *timer;

	id = (uint32_t)id;
	if (id >= SIGNAL_TIMERS_MAX)
		return NULL;
	timer = &process->signals.timers.list[SIGNAL_TIMERS_OWN + id];
	return timer->is_used ? timer : NULL;
}

/* As the kernel does, SIGEV_THREAD is a signal: the C library makes the thread. */
static bool is_event_good(const struct linux_process *process,
			  const struct event *event)
{
	switch (event->notify) {
	case SIGEV_NONE:
		return true;
	case SIGEV_THREAD_ID:
		if (!threads_find(&process->threads, event->thread))
			return false;
		break;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		break;
	default:
		return false;
	}
	return event->number >= 1 && event->number <= LINUX_SIGNALS;
}

int64_t call_timer_create(struct linux_process *process, const uint64_t *args)
{
	struct signal_timer *list =
		process->signals.timers.list + SIGNAL_TIMERS_OWN;
	struct event event = { .number = SIGALRM };
	int32_t id = 0;

	if (args[1] &&
	    space_read(&process->space, args[1], &event, sizeof(event)))
		return -EFAULT;
	if (!signal_timer_has_clock(args[0]) || !is_event_good(process, &event))
		return -EINVAL;
	while (id < SIGNAL_TIMERS_MAX && list[id].is_used)
		id++;
	if (id == SIGNAL_TIMERS_MAX)
		return -EAGAIN;
	if (space_write(&process->space, args[2], &id, sizeof(id)))
		return -EFAULT;
	process->signals.is_changed = true;
	list[id] = (struct signal_timer){
		.is_used = true,
		.is_run_time = args[0] == CLOCK_PROCESS_CPUTIME_ID ||
			       args[0] == CLOCK_THREAD_CPUTIME_ID,
		.is_silent = event.notify == SIGEV_NONE,
		.number = event.number,
		.thread = event.notify == SIGEV_THREAD_ID ? event.thread : 0,
		.value = args[1] ? event.value : (uint64_t)id,
		.clock = args[0],
	};
	return 0;
}

static int stop_timer(struct linux_process *process, struct signal_timer *timer)
{
	process->signals.is_changed = true;
	signals_drop_timer(&process->signals, timer);
	signal_timer_set(&process->signals.timers, timer, 0, 0);
	return 0;
}

int64_t call_timer_delete(struct linux_process *process, const uint64_t *args)
{
	struct signal_timer *timer = find_timer(process, args[0]);

	if (!timer)
		return -EINVAL;
	stop_timer(process, timer);
	timer->is_used = false;
	return 0;
}

static struct timespec to_time(uint64_t ns)
{
	return (struct timespec){ (time_t)(ns / NS_PER_S),
				  (long)(ns % NS_PER_S) };
}

static struct itimerspec time_of(const struct signal_timers *timers,
				 const struct signal_timer *timer)
{
	return (struct itimerspec){
		.it_value = to_time(signal_timer_left(timers, timer)),
		.it_interval = to_time(timer->every_ns),
	};
}

int64_t call_timer_gettime(struct linux_process *process, const uint64_t *args)
{
	const struct signal_timer *timer = find_timer(process, args[0]);
	struct itimerspec now;

	if (!timer)
		return -EINVAL;
	now = time_of(&process->signals.timers, timer);
	return space_write(&process->space, args[1], &now, sizeof(now));
}

static int time_ns(const struct timespec *time, uint64_t *ret_ns)
{
	if (time->tv_sec < 0 || time->tv_nsec < 0 ||
	    time->tv_nsec >= (long)NS_PER_S)
		return -EINVAL;
	*ret_ns = to_ns(time->tv_sec, (uint64_t)time->tv_nsec);
	return 0;
}

/* How long it is until @at_ns of the timer's clock; at least 1. */
static uint64_t left_until(const struct linux_process *process,
			   const struct signal_timer *timer, uint64_t at_ns)
{
	/* the program's clocks of run time are the monotonic one: see clock_gettime() */
	const clockid_t clock = timer->is_run_time ? CLOCK_MONOTONIC :
						     (clockid_t)timer->clock;
	const uint64_t now_ns = linux_clock_ns(process, clock);

	return at_ns > now_ns ? at_ns - now_ns : 1;
}

int64_t call_timer_settime(struct linux_process *process, const uint64_t *args)
{
	struct signal_timers *timers = &process->signals.timers;
	struct signal_timer *timer = find_timer(process, args[0]);
	struct itimerspec new, old;
	uint64_t left_ns, every_ns;

	if (!args[2])
		return -EINVAL;
	if (space_read(&process->space, args[2], &new, sizeof(new)))
		return -EFAULT;
	if (time_ns(&new.it_value, &left_ns) ||
	    time_ns(&new.it_interval, &every_ns) || !timer)
		return -EINVAL;
	old = time_of(timers, timer);
	stop_timer(process, timer);
	if (left_ns && (args[1] & TIMER_ABSTIME))
		left_ns = left_until(process, timer, left_ns);
	signal_timer_set(timers, timer, left_ns, every_ns);
	return args[3] ? space_write(&process->space, args[3], &old,
				     sizeof(old)) :
			 0;
}

int64_t call_timer_getoverrun(struct linux_process *process,
			      const uint64_t *args)
{
	const struct signal_timer *timer = find_timer(process, args[0]);

	return timer ? timer->overrun : -EINVAL;
}
