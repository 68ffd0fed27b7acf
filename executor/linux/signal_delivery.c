/* signal_delivery.c - see signal_delivery.h. Frames are made in signal_frame_ARCH.c. */
#include "executor/linux/signal_delivery.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/clock.h"
#include "executor/linux/gunyah.h"
#include "executor/linux/process.h"
#include "executor/linux/trace.h"
#include "vm/calls.h"
#include "vm/exit.h"
#include "vm/layout.h"

/* Has the handler of @info run. -EFAULT: it cannot. */
static int enter_handler(struct linux_process *process, const siginfo_t *info,
			 struct thaw_frame *registers)
{
	struct signals *signals = &process->signals;
	struct signal_thread *thread = &signals->thread;
	struct linux_action *action = &signals->actions[info->si_signo - 1];
	const bool was_on_stack =
		signal_is_on_stack(&thread->stack, signal_frame_sp(registers));
	struct signal_delivery signal = {
		.info = info,
		.action = action,
		.trap = thread->trap,
		.mask = thread->has_saved_mask ? thread->saved_mask :
						 thread->mask,
		.stack = thread->stack,
		.is_entering = (action->flags & SA_ONSTACK) && !was_on_stack &&
			       thread->stack.size,
		.features = vm_vector_features(process->space.vm),
	};
	const uint64_t own =
		action->flags & SA_NODEFER ? 0 : SIGNAL_BIT(info->si_signo);
	int r;

	signal.is_on_stack = was_on_stack || signal.is_entering;
	r = signal_frame_push(&process->space, &signal, registers);
	if (r)
		return r;
	signals->is_changed = true;
	signals->handlers++;
	thread->has_saved_mask = false;
	signals_set_mask(&process->signals, thread->mask | action->mask | own);
	if (thread->stack.flags & SIGNAL_STACK_DISARM)
		thread->stack =
			(struct signal_stack){ .flags = SIGNAL_STACK_NONE };
	if (action->flags & SA_RESETHAND)
		action->handler = (uintptr_t)SIG_DFL;
	return 0;
}

static void end_by(struct linux_process *process, int number)
{
	process->step = LINUX_EXIT;
	process->signal = number;
	if (process->program->trace.line)
		linux_trace_killed(process, number);
}

static void trace_signal(const struct linux_process *process,
			 const siginfo_t *info)
{
	if (process->program->trace.line)
		linux_trace_signal(process, info->si_signo, info->si_code,
				   (uintptr_t)info->si_addr);
}

/* Sends SIGSEGV as the kernel does: what is blocked or ignored ends the program. */
static void force_fault(struct linux_process *process, const siginfo_t *info)
{
	struct signals *signals = &process->signals;
	const uint64_t bit = SIGNAL_BIT(SIGSEGV);

	if (signal_is_ignored(signals, SIGSEGV) ||
	    (signals->thread.mask & bit)) {
		end_by(process, SIGSEGV);
		return;
	}
	if (signal_send(signals, info, signals->thread.id))
		end_by(process, SIGSEGV);
}

/* The same, of a handler whose frame cannot be written. */
static void force_no_frame(struct linux_process *process)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = SIGSEGV;
	info.si_code = SI_KERNEL;
	force_fault(process, &info);
}

/*
 * Delivers what is due: frames of handlers on top of each other, so that the last one
 * runs first. Or the program ends.
 */
static void deliver(struct linux_process *process, struct thaw_frame *registers)
{
	struct signals *signals = &process->signals;
	siginfo_t info;
	int number;

	while (process->step != LINUX_EXIT &&
	       (number = signal_take(&process->signals, ~signals->thread.mask,
				     &info))) {
		const bool is_gunyah = number == GUNYAH_SIGNAL &&
				       process->gunyah.is_on;
		uint64_t handler;

		if (signal_is_ignored(signals, number) ||
		    (is_gunyah && !gunyah_choose(process)))
			continue;
		handler = signals->actions[number - 1].handler;
		trace_signal(process, &info);
		if (handler == (uintptr_t)SIG_DFL)
			end_by(process, number);
		else if (!enter_handler(process, &info, registers)) {
			if (is_gunyah)
				gunyah_enter(process, registers);
		} else if (number == SIGSEGV)
			end_by(process, SIGSEGV);
		else
			force_no_frame(process);
	}
}

/* Whether SA_RESTART has the call repeated: see signal(7). */
static bool is_restarted(const struct vm_call *call)
{
	static const uint16_t never[] = {
		SYS_nanosleep,
		SYS_clock_nanosleep,
		SYS_ppoll,
		SYS_pselect6,
		SYS_epoll_pwait,
		SYS_rt_sigsuspend,
		SYS_rt_sigtimedwait,
#ifdef SYS_epoll_pwait2
		SYS_epoll_pwait2,
#endif
#ifdef SYS_epoll_wait
		SYS_epoll_wait,
#endif
#ifdef SYS_pause
		SYS_pause,
#endif
#ifdef SYS_poll
		SYS_poll,
#endif
#ifdef SYS_select
		SYS_select,
#endif
	};

	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		if (call->number == never[i])
			return false;
	/* a wait for some time is not begun anew */
	return call->number != SYS_futex || !call->args[3];
}

/* Writes how long a sleep that was cut off would have lasted. */
static void put_left(struct linux_process *process)
{
	const struct vm_call *call = &process->threads.current->wait.call;
	const uint64_t now_ns = clock_now_ns();
	const uint64_t until_ns = process->threads.current->wait.until_ns;
	const uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	const struct timespec left = { (time_t)(left_ns / NS_PER_S),
				       (long)(left_ns % NS_PER_S) };
	uint64_t to = 0;

	if (call->number == SYS_nanosleep)
		to = call->args[1];
	else if (call->number == SYS_clock_nanosleep &&
		 !(call->args[1] & TIMER_ABSTIME))
		to = call->args[3];
	if (to)
		space_write(&process->space, to, &left, sizeof(left));
}

/* What the signal that is delivered first does with the call that it has cut off. */
static void cut_off(struct linux_process *process, struct thaw_frame *registers)
{
	const struct signals *signals = &process->signals;
	const struct vm_call *call = &process->threads.current->wait.call;
	uint64_t set = signals_pending(signals, &signals->thread) &
		       ~signals->thread.mask;
	int number;

	if (set & SIGNALS_FIRST)
		set &= SIGNALS_FIRST;
	number = __builtin_ctzll(set) + 1;
	put_left(process);
	if (is_restarted(call) &&
	    (signals->actions[number - 1].flags & SA_RESTART))
		signal_frame_repeat(registers, call->number, call->args[0]);
	else
		registers->general[0] = (uint64_t)-EINTR;
}

/* rt_sigreturn(): a frame that is none is a fault. */
static void leave_handler(struct linux_process *process,
			  struct thaw_frame *registers)
{
	struct signal_thread *thread = &process->signals.thread;
	struct signal_return back;
	siginfo_t info;

	process->signals.is_return = false;
	process->signals.is_changed = true;
	if (process->signals.handlers)
		process->signals.handlers--;
	if (signal_frame_pop(&process->space,
			     vm_vector_features(process->space.vm), registers,
			     &back)) {
		signal_frame_of_bad(&process->space, registers, &info);
		force_fault(process, &info);
		return;
	}
	signals_set_mask(&process->signals, back.mask);
	/* as sigaltstack() would, and an error is nothing to anybody */
	if (!signal_is_on_stack(&thread->stack, signal_frame_sp(registers)))
		signal_set_stack(&process->signals, &back.stack);
}

void signals_return(struct linux_process *process, struct thaw_frame *registers,
		    int64_t result, bool is_cut_off)
{
	process->step = LINUX_GO_ON;
	if (process->signals.is_return)
		leave_handler(process, registers);
	else if (is_cut_off)
		cut_off(process, registers);
	else
		registers->general[0] = (uint64_t)result;
}

void signals_interrupt(struct linux_process *process,
		       struct thaw_frame *registers)
{
	gunyah_expire(process);
	if (signals_are_due(&process->signals))
		deliver(process, registers);
}

/* What the kernel would find in its own table at the address of a page fault. */
static void look_up(const struct linux_process *process, siginfo_t *info)
{
	const uint64_t address = (uintptr_t)info->si_addr;
	const struct layout_range *heap = &process->space.layout->heap;
	const uint64_t guard = heap->start + heap->size - SPACE_STACK_GUARD;
	const struct area *area = areas_next(&process->space.areas, address);

	if (info->si_signo != SIGSEGV || info->si_code != SEGV_MAPERR)
		return;
	/* below the stack there is nothing, for the program */
	if (area && area->start <= address && area->prot != AREA_FRAMES &&
	    (area->prot || address - guard >= SPACE_STACK_GUARD))
		info->si_code = SEGV_ACCERR;
}

bool signals_fault(struct linux_process *process, const struct vm_exit *exit,
		   struct thaw_frame *registers)
{
	struct signals *signals = &process->signals;
	struct signal_trap trap;
	const struct linux_action *action;
	siginfo_t info;

	signal_frame_of_fault(&exit->fault, registers, &info, &trap);
	look_up(process, &info);
	action = &signals->actions[info.si_signo - 1];
	if (action->handler == (uintptr_t)SIG_DFL ||
	    action->handler == (uintptr_t)SIG_IGN ||
	    (signals->thread.mask & SIGNAL_BIT(info.si_signo))) {
		trace_signal(process, &info);
		if (process->program->trace.line)
			linux_trace_killed(process, info.si_signo);
		process->signal = info.si_signo;
		process->step = LINUX_EXIT;
		return false;
	}
	/* the queue is not endless */
	if (signal_send(signals, &info, signals->thread.id))
		return false;
	signals->thread.trap = trap;
	deliver(process, registers);
	return process->step != LINUX_EXIT;
}
