/* signals.c - see signals.h. */
#include "executor/linux/signals.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

#define PROCESS_ID 1
#define USER_ID 65534
#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
/* What does nothing by default. */
#define HARMLESS                                                          \
	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | \
	 SIGNAL_BIT(SIGWINCH))
#define STOPPING                                                           \
	(SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | \
	 SIGNAL_BIT(SIGTTOU))

void signals_init(struct signals *signals)
{
	memset(signals, 0, offsetof(struct signals, queue));
	signal_thread_init(&signals->thread, PROCESS_ID);
	signal_timers_init(&signals->timers);
}

void signal_thread_init(struct signal_thread *thread, int32_t id)
{
	*thread = (struct signal_thread){
		.id = id,
		.stack.flags = SIGNAL_STACK_NONE,
	};
}

void signals_freeze(struct signals *signals)
{
	signal_timers_freeze(&signals->timers);
	signals->is_changed = false;
}

void signals_copy(struct signals *to, const struct signals *from)
{
	if (!to->is_whole || to->is_changed)
		memcpy(to, from,
		       offsetof(struct signals, queue) +
			       from->queued * sizeof(from->queue[0]));
	else if (from->timers.armed)
		to->timers = from->timers;
	signal_timers_thaw(&to->timers);
	to->is_whole = true;
	to->is_changed = false;
}

bool signal_is_stop(int number)
{
	return number > 0 && (SIGNAL_BIT(number) & STOPPING);
}

bool signal_is_ignored(const struct signals *signals, int number)
{
	const uint64_t handler = signals->actions[number - 1].handler;

	return handler == (uintptr_t)SIG_IGN ||
	       (handler == (uintptr_t)SIG_DFL &&
		(SIGNAL_BIT(number) & HARMLESS));
}

static bool is_of(const struct signal_queued *queued, int32_t thread)
{
	return !queued->thread || queued->thread == thread;
}

uint64_t signals_pending(const struct signals *signals,
			 const struct signal_thread *thread)
{
	uint64_t set = 0;

	for (size_t i = 0; i < signals->queued; i++)
		if (is_of(&signals->queue[i], thread->id))
			set |= SIGNAL_BIT(signals->queue[i].info.si_signo);
	return set;
}

/* Removes what is at @i in the queue. */
static void remove_at(struct signals *signals, size_t i)
{
	signals->is_changed = true;
	signals->queued--;
	memmove(&signals->queue[i], &signals->queue[i + 1],
		(signals->queued - i) * sizeof(signals->queue[0]));
}

/* Whether one like it waits already, and stands for it. */
static bool is_queued(const struct signals *signals, int number, int32_t thread)
{
	for (size_t i = 0; i < signals->queued; i++)
		if (signals->queue[i].info.si_signo == number &&
		    signals->queue[i].thread == thread)
			return true;
	return false;
}

static size_t count_queued(const struct signals *signals)
{
	size_t count = 0;

	for (size_t i = 0; i < signals->queued; i++)
		count += !signals->queue[i].timer &&
			 signals->queue[i].info.si_signo >= SIGNALS_REAL_TIME;
	return count;
}

/* Adds it to the queue, unless it is ignored, or one like it waits already. */
static int enqueue(struct signals *signals, const siginfo_t *info,
		   int32_t thread, unsigned timer)
{
	const int number = info->si_signo;
	const bool is_own = !thread || thread == signals->thread.id;

	/* others see it themselves when they look at what is pending */
	if (is_own && signal_is_ignored(signals, number) &&
	    !(signals->thread.mask & SIGNAL_BIT(number)))
		return 0;
	if (number < SIGNALS_REAL_TIME && is_queued(signals, number, thread))
		return 0;
	if (count_queued(signals) >= SIGNALS_QUEUED_MAX && !timer &&
	    number >= SIGNALS_REAL_TIME)
		return -EAGAIN;
	if (signals->queued == SIGNALS_QUEUE_SIZE)
		return -EAGAIN;
	signals->is_changed = true;
	signals->queue[signals->queued++] =
		(struct signal_queued){ *info, thread, timer };
	return 0;
}

int signal_send(struct signals *signals, const siginfo_t *info, int32_t thread)
{
	return enqueue(signals, info, thread, 0);
}

void signal_raise(struct signals *signals, int number)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = number;
	info.si_code = SI_USER;
	info.si_pid = PROCESS_ID;
	info.si_uid = USER_ID;
	enqueue(signals, &info, signals->thread.id, 0);
}

/* Arms the timers again whose signal was taken. */
static void take_timers(struct signals *signals, struct signal_queued *queued)
{
	struct signal_timers *timers = &signals->timers;
	const int number = queued->info.si_signo;

	if (queued->timer) {
		struct signal_timer *timer = &timers->list[queued->timer - 1];

		signal_timer_taken(timers, timer);
		if (queued->timer > SIGNAL_TIMERS_OWN)
			queued->info.si_overrun = timer->overrun;
	}
	/* a signal that waited already has stood for theirs, too */
	for (unsigned i = 0; i < SIGNAL_TIMERS && number < SIGNALS_REAL_TIME;
	     i++)
		if (timers->list[i].number == number)
			signal_timer_taken(timers, &timers->list[i]);
}

int signal_take(struct signals *signals, uint64_t set, siginfo_t *ret_info)
{
	struct signal_queued queued;
	size_t i = 0;
	int number;

	set &= signals_pending(signals, &signals->thread);
	if (!set)
		return 0;
	if (set & SIGNALS_FIRST)
		set &= SIGNALS_FIRST;
	number = __builtin_ctzll(set) + 1;
	while (signals->queue[i].info.si_signo != number ||
	       !is_of(&signals->queue[i], signals->thread.id))
		i++;
	queued = signals->queue[i];
	remove_at(signals, i);
	take_timers(signals, &queued);
	*ret_info = queued.info;
	return number;
}

/* Drops what is pending and ignored, of @set. */
static void drop_ignored(struct signals *signals, uint64_t set)
{
	for (size_t i = 0; i < signals->queued;) {
		struct signal_queued queued = signals->queue[i];
		const int number = queued.info.si_signo;

		if (!(set & SIGNAL_BIT(number)) ||
		    !signal_is_ignored(signals, number)) {
			i++;
			continue;
		}
		remove_at(signals, i);
		take_timers(signals, &queued);
	}
}

void signals_drop_thread(struct signals *signals, int32_t thread)
{
	for (size_t i = 0; i < signals->queued;) {
		struct signal_queued queued = signals->queue[i];

		if (queued.thread != thread) {
			i++;
			continue;
		}
		remove_at(signals, i);
		take_timers(signals, &queued);
	}
}

void signals_drop_ignored(struct signals *signals)
{
	drop_ignored(signals, ~UINT64_C(0));
}

void signals_drop_timer(struct signals *signals,
			const struct signal_timer *timer)
{
	const unsigned place = (unsigned)(timer - signals->timers.list) + 1;

	for (size_t i = 0; i < signals->queued; i++) {
		if (signals->queue[i].timer != place)
			continue;
		remove_at(signals, i);
		return;
	}
}

int signal_set_stack(struct signals *signals, const struct signal_stack *stack)
{
	const uint32_t mode = stack->flags & ~SIGNAL_STACK_DISARM;
	struct signal_stack new = *stack;

	if (mode != SIGNAL_STACK_NONE && mode != SS_ONSTACK && mode)
		return -EINVAL;
	if (mode == SIGNAL_STACK_NONE)
		new.start = new.size = 0;
	else if (new.size < signal_frame_stack_min())
		return -ENOMEM;
	new.padding = 0;
	if (memcmp(&signals->thread.stack, &new, sizeof(new)) != 0)
		signals->is_changed = true;
	signals->thread.stack = new;
	return 0;
}

void signals_set_mask(struct signals *signals, uint64_t mask)
{
	mask &= ~UNBLOCKABLE;
	if (mask == signals->thread.mask)
		return;
	signals->is_changed = true;
	signals->thread.mask = mask;
}

void signals_set_wait_mask(struct signals *signals, uint64_t mask)
{
	struct signal_thread *thread = &signals->thread;

	if (!thread->has_saved_mask)
		thread->saved_mask = thread->mask;
	thread->has_saved_mask = true;
	signals->is_changed = true;
	signals_set_mask(signals, mask);
}

void signals_put_mask_back(struct signals *signals)
{
	struct signal_thread *thread = &signals->thread;

	if (!thread->has_saved_mask)
		return;
	thread->has_saved_mask = false;
	signals->is_changed = true;
	signals_set_mask(signals, thread->saved_mask);
}

/* Sends the signal of the timer at @place in the list plus 1. */
static void send_timer(struct signals *signals, unsigned place)
{
	struct signal_timer *timer = &signals->timers.list[place - 1];
	const size_t queued = signals->queued;
	siginfo_t info;

	signals->is_changed = true;
	memset(&info, 0, sizeof(info));
	info.si_signo = timer->number;
	info.si_code = SI_KERNEL;
	if (place > SIGNAL_TIMERS_OWN) {
		info.si_code = SI_TIMER;
		info.si_timerid = (int)place - SIGNAL_TIMERS_OWN - 1;
		info.si_value.sival_ptr = (void *)(uintptr_t)timer->value;
	}
	enqueue(signals, &info, timer->thread, place);
	if (signals->queued == queued &&
	    !is_queued(signals, timer->number, timer->thread))
		signal_timer_ignored(&signals->timers, timer);
}

bool signals_expire(struct signals *signals)
{
	unsigned place = 0;
	bool is_any = false;

	while ((place = signal_timers_expire(&signals->timers, place))) {
		send_timer(signals, place);
		is_any = true;
	}
	return is_any;
}

bool signals_are_due(struct signals *signals)
{
	const struct signal_thread *thread = &signals->thread;

	if (signals->timers.armed)
		signals_expire(signals);
	if (!signals->queued)
		return false;
	if (signals_pending(signals, thread) & ~thread->mask)
		drop_ignored(signals, ~thread->mask);
	return signals_pending(signals, thread) & ~thread->mask;
}

uint64_t signals_run_until(struct signals *signals)
{
	uint64_t next_ns;

	if (!signals->timers.armed && !signals->queued)
		return UINT64_MAX;
	next_ns = signals_are_due(signals) ?
			  clock_now_ns() :
			  signal_timers_next(&signals->timers);
	return next_ns > signals->retry_ns ? next_ns : signals->retry_ns;
}

bool signal_is_on_stack(const struct signal_stack *stack, uint64_t sp)
{
	return !(stack->flags & SIGNAL_STACK_DISARM) && sp > stack->start &&
	       sp - stack->start <= stack->size;
}
