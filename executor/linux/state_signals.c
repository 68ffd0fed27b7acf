/* state_signals.c - signals and the timers that send them, in a state: see state.h. */
#include "executor/linux/state_signals.h"

#include <string.h>
#include <time.h>

#include "executor/linux/process.h"
#include "executor/linux/state_codec.h"
#include "guest/abi/thaw_shim.h"

#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
/* What is left of a timer, and its period: sums with times do not wrap. */
#define LEFT_MAX_NS (UINT64_MAX / 4)

static void state_action(struct state *state, struct linux_action *action,
			 int number)
{
	STATE_NUMBER(state, action->handler);
	STATE_NUMBER(state, action->flags);
	STATE_NUMBER(state, action->restorer);
	STATE_NUMBER(state, action->mask);
	state_need(state,
		   !(action->flags & ~THAW_ACTION_FLAGS) &&
			   !(action->mask & UNBLOCKABLE),
		   "an action of a signal");
	if (SIGNAL_BIT(number) & UNBLOCKABLE)
		state_need(state, action->handler == (uintptr_t)SIG_DFL,
			   "an action of SIGKILL or SIGSTOP");
}

void state_signal_thread(struct state *state, struct signal_thread *thread)
{
	STATE_NUMBER(state, thread->id);
	STATE_NUMBER(state, thread->mask);
	STATE_NUMBER(state, thread->saved_mask);
	STATE_NUMBER(state, thread->has_saved_mask);
	STATE_NUMBER(state, thread->stack.start);
	STATE_NUMBER(state, thread->stack.flags);
	STATE_NUMBER(state, thread->stack.size);
	STATE_NUMBER(state, thread->trap.number);
	STATE_NUMBER(state, thread->trap.code);
	STATE_NUMBER(state, thread->trap.address);
	state_need(state,
		   !(thread->mask & UNBLOCKABLE) &&
			   !(thread->saved_mask & UNBLOCKABLE),
		   "a signal mask");
	state_need(state,
		   !(thread->stack.flags &
		     ~(SIGNAL_STACK_NONE | SIGNAL_STACK_DISARM)),
		   "an alternate stack");
}

static void state_timer(struct state *state, struct signal_timer *timer,
			const struct signal_timer *first)
{
	STATE_NUMBER(state, timer->is_used);
	STATE_NUMBER(state, timer->is_sent);
	STATE_NUMBER(state, timer->is_run_time);
	STATE_NUMBER(state, timer->is_silent);
	STATE_NUMBER(state, timer->number);
	STATE_NUMBER(state, timer->thread);
	STATE_NUMBER(state, timer->value);
	STATE_NUMBER(state, timer->clock);
	STATE_NUMBER(state, timer->end_ns);
	STATE_NUMBER(state, timer->every_ns);
	STATE_NUMBER(state, timer->overrun);
	/* the three of setitimer() are always there */
	if (first)
		state_need(state,
			   timer->is_used && !timer->is_silent &&
				   !timer->thread &&
				   timer->number == first->number &&
				   timer->is_run_time == first->is_run_time,
			   "an interval timer");
	state_need(state,
		   timer->end_ns <= LEFT_MAX_NS &&
			   timer->every_ns <= LEFT_MAX_NS &&
			   timer->overrun >= 0 &&
			   signal_timer_has_clock(timer->clock) &&
			   (timer->is_used ?
				    timer->number >= 1 &&
					    timer->number <= LINUX_SIGNALS :
				    !timer->end_ns && !timer->is_sent),
		   "a timer");
}

/* What is left of each counts from the invocation on: signal_timers_thaw(). */
static void state_timers(struct state *state, struct signal_timers *timers)
{
	struct signal_timers first;

	signal_timers_init(&first);
	if (state_is_read(state))
		*timers = first;
	for (unsigned i = 0; i < SIGNAL_TIMERS; i++) {
		struct signal_timer *timer = &timers->list[i];

		state_timer(state, timer,
			    i < SIGNAL_TIMERS_OWN ? &first.list[i] : NULL);
		if (state_is_read(state))
			timers->armed += timer->end_ns != 0;
	}
}

static void state_queued(struct state *state, struct signal_queued *queued)
{
	state_bytes(state, &queued->info, sizeof(queued->info));
	STATE_NUMBER(state, queued->thread);
	STATE_NUMBER(state, queued->timer);
	state_need(state,
		   queued->info.si_signo >= 1 &&
			   queued->info.si_signo <= LINUX_SIGNALS &&
			   queued->thread >= 0 &&
			   queued->timer <= SIGNAL_TIMERS,
		   "a pending signal");
}

void state_signals(struct state *state, struct linux_process *process)
{
	struct signals *signals = &process->signals;

	for (int i = 0; i < LINUX_SIGNALS; i++)
		state_action(state, &signals->actions[i], i + 1);
	state_signal_thread(state, &signals->thread);
	state_timers(state, &signals->timers);
	STATE_NUMBER(state, signals->handlers);
	STATE_NUMBER(state, signals->queued);
	state_need(state, signals->queued <= SIGNALS_QUEUE_SIZE,
		   "the number of pending signals");
	for (size_t i = 0; i < signals->queued && state_is_good(state); i++)
		state_queued(state, &signals->queue[i]);
}
