/* signal_timers.c - see signal_timers.h. */
#include "executor/linux/signal_timers.h"

#include <stddef.h>
#include <sys/time.h>

#include "base/clock.h"

#define IGNORED_NS NS_PER_MS

void signal_timers_init(struct signal_timers *timers)
{
	static const int numbers[SIGNAL_TIMERS_OWN] = {
		[ITIMER_REAL] = SIGALRM,
		[ITIMER_VIRTUAL] = SIGVTALRM,
		[ITIMER_PROF] = SIGPROF,
	};

	*timers = (struct signal_timers){ 0 };
	for (unsigned i = 0; i < SIGNAL_TIMERS_OWN; i++)
		timers->list[i] = (struct signal_timer){
			.is_used = true,
			.is_run_time = i != ITIMER_REAL,
			.number = numbers[i],
		};
}

/* How long the program has waited until @now_ns. */
static uint64_t waited_at(const struct signal_timers *timers, uint64_t now_ns)
{
	return timers->waited_ns +
	       (timers->wait_ns ? now_ns - timers->wait_ns : 0);
}

static uint64_t clock_of(const struct signal_timers *timers,
			 const struct signal_timer *timer)
{
	const uint64_t now_ns = clock_now_ns();

	return timer->is_run_time ? now_ns - waited_at(timers, now_ns) : now_ns;
}

void signal_timers_wait(struct signal_timers *timers)
{
	if (timers->armed && !timers->wait_ns)
		timers->wait_ns = clock_now_ns();
}

void signal_timers_go_on(struct signal_timers *timers)
{
	if (timers->wait_ns)
		timers->waited_ns += clock_now_ns() - timers->wait_ns;
	timers->wait_ns = 0;
}

static bool is_armed(const struct signal_timer *timer)
{
	return timer->is_used && timer->end_ns;
}

void signal_timers_freeze(struct signal_timers *timers)
{
	signal_timers_go_on(timers);
	for (unsigned i = 0; timers->armed && i < SIGNAL_TIMERS; i++) {
		struct signal_timer *timer = &timers->list[i];
		const uint64_t now_ns = clock_of(timers, timer);

		if (is_armed(timer))
			timer->end_ns = timer->end_ns > now_ns ?
						timer->end_ns - now_ns :
						1;
	}
	timers->waited_ns = 0;
}

void signal_timers_thaw(struct signal_timers *timers)
{
	const uint64_t now_ns = timers->armed ? clock_now_ns() : 0;

	for (unsigned i = 0; timers->armed && i < SIGNAL_TIMERS; i++)
		if (is_armed(&timers->list[i]))
			timers->list[i].end_ns += now_ns;
}

uint64_t signal_timers_next(const struct signal_timers *timers)
{
	uint64_t next_ns = UINT64_MAX;

	for (unsigned i = 0; timers->armed && i < SIGNAL_TIMERS; i++) {
		const struct signal_timer *timer = &timers->list[i];
		uint64_t end_ns = timer->end_ns;

		if (!is_armed(timer) || timer->is_sent || timer->is_silent)
			continue;
		if (timer->is_run_time && timers->wait_ns)
			continue;
		if (timer->is_run_time)
			end_ns += timers->waited_ns;
		if (end_ns < next_ns)
			next_ns = end_ns;
	}
	return next_ns;
}

unsigned signal_timers_expire(struct signal_timers *timers, unsigned after)
{
	for (unsigned i = after; timers->armed && i < SIGNAL_TIMERS; i++) {
		struct signal_timer *timer = &timers->list[i];

		if (!is_armed(timer) || timer->is_sent || timer->is_silent ||
		    clock_of(timers, timer) < timer->end_ns)
			continue;
		timer->is_sent = true;
		return i + 1;
	}
	return 0;
}

static void disarm(struct signal_timers *timers, struct signal_timer *timer)
{
	if (timer->end_ns)
		timers->armed--;
	timer->end_ns = 0;
	timer->is_sent = false;
}

void signal_timer_taken(struct signal_timers *timers,
			struct signal_timer *timer)
{
	const uint64_t now_ns = clock_of(timers, timer);
	uint64_t missed;

	if (!timer->is_sent)
		return;
	timer->is_sent = false;
	timer->overrun = 0;
	if (!timer->every_ns) {
		disarm(timers, timer);
		return;
	}
	if (now_ns < timer->end_ns)
		return;
	missed = (now_ns - timer->end_ns) / timer->every_ns;
	timer->end_ns += (missed + 1) * timer->every_ns;
	timer->overrun = missed < INT32_MAX ? (int)missed : INT32_MAX;
}

void signal_timer_ignored(struct signal_timers *timers,
			  struct signal_timer *timer)
{
	const uint64_t least_ns = clock_of(timers, timer) + IGNORED_NS;

	signal_timer_taken(timers, timer);
	if (timer->end_ns && timer->end_ns < least_ns)
		timer->end_ns = least_ns;
}

void signal_timer_set(struct signal_timers *timers, struct signal_timer *timer,
		      uint64_t left_ns, uint64_t every_ns)
{
	disarm(timers, timer);
	timer->every_ns = every_ns;
	timer->overrun = 0;
	if (!left_ns)
		return;
	timer->end_ns = clock_of(timers, timer) + left_ns;
	timers->armed++;
}

uint64_t signal_timer_left(const struct signal_timers *timers,
			   const struct signal_timer *timer)
{
	const uint64_t now_ns = clock_of(timers, timer);

	if (!is_armed(timer))
		return 0;
	if (now_ns < timer->end_ns)
		return timer->end_ns - now_ns;
	if (timer->every_ns)
		return timer->every_ns -
		       (now_ns - timer->end_ns) % timer->every_ns;
	/* its signal is on its way */
	return timer->is_silent ? 0 : 1;
}

bool signal_timer_has_clock(uint64_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		return true;
	}
	return false;
}
