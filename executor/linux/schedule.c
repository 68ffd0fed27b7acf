/* schedule.c - see schedule.h; what a thread is, is in thread.h. */
#include "executor/linux/schedule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "executor/linux/calls.h"
#include "executor/linux/file_timer.h"
#include "executor/linux/gunyah.h"
#include "executor/linux/shim.h"
#include "executor/linux/signal_delivery.h"
#include "executor/linux/sites.h"
#include "executor/linux/wait.h"
#include "vm/calls.h"
#include "vm/exit.h"
#include "vm/vm.h"

/*
 * After an interrupt in code of thaw's own, how long it is until the next. Far more than
 * entering the guest takes, or that code would never come to its end.
 */
#define RETRY_NS (LINUX_TURN_NS / 10)

static const struct vm_exit after_call = { .kind = VM_EXIT_CALL };

/* Makes @thread the one whose calls are done. */
static void enter(struct linux_process *process, struct linux_thread *thread)
{
	struct linux_threads *threads = &process->threads;

	if (threads->current == thread)
		return;
	if (threads->current)
		threads->current->signals = process->signals.thread;
	process->signals.thread = thread->signals;
	process->signals.is_changed = true;
	threads->current = thread;
}

/* Saves the registers that the vcpu has. @exit: the last one. */
static int unload(struct linux_process *process, struct vm *vm,
		  const struct vm_exit *exit)
{
	struct linux_thread *loaded = process->threads.loaded;
	int r = 0;

	if (loaded)
		r = threads_need_frame(loaded);
	if (loaded && !r)
		r = vm_frame_save(vm, exit, loaded->frame);
	if (!r)
		process->threads.loaded = NULL;
	return r;
}

/*
 * Has the next run go on in @thread, or in the handlers of its signals, one of which may
 * end the program. If the vcpu has the registers of another, the last exit was a call.
 */
static int load(struct linux_process *process, struct vm *vm,
		struct linux_thread *thread)
{
	struct linux_threads *threads = &process->threads;
	int r;

	enter(process, thread);
	signal_timers_go_on(&process->signals.timers);
	threads->turn_end_ns = clock_now_ns() + LINUX_TURN_NS;
	if (threads->loaded == thread)
		return 0;
	signals_interrupt(process, thread->frame);
	if (process->step == LINUX_EXIT)
		return 0;
	r = unload(process, vm, &after_call);
	if (!r)
		r = vm_frame_load(vm, thread->frame);
	if (!r)
		threads->loaded = thread;
	return r;
}

/* Whether a handler is to run in the current thread, or it ends. */
static bool handlers_are_due(struct linux_process *process)
{
	gunyah_expire(process);
	return signals_are_due(&process->signals);
}

/*
 * Has the current thread's call return @result, and handlers run behind it. A signal may
 * have cut it off while it waited.
 */
static int return_from_call(struct linux_process *process, struct vm *vm,
			    int64_t result, bool is_cut_off)
{
	struct linux_threads *threads = &process->threads;
	struct linux_thread *thread = threads->current;
	int r = 0;

	thread->is_waiting = false;
	linux_wait_changed(process);
	if (is_cut_off)
		thread->futex.address = 0; /* it waits for none */
	else
		signals_put_mask_back(&process->signals);
	if (threads->loaded == thread && !process->signals.is_return &&
	    !handlers_are_due(process)) {
		vm_call_return(vm, (uint64_t)result);
		return 0;
	}
	if (threads->loaded == thread)
		r = unload(process, vm, &after_call);
	if (!r)
		signals_return(process, thread->frame, result, is_cut_off);
	return r;
}

/* Does the current thread's call, once more or for the first time. */
static int do_call(struct linux_process *process, struct vm *vm)
{
	struct linux_thread *thread = process->threads.current;
	const int64_t result = linux_call_dispatch(process);

	switch (process->step) {
	case LINUX_GO_ON:
		return return_from_call(process, vm, result, false);
	case LINUX_WAIT:
		/* a call that has done a part is not done again */
		if (handlers_are_due(process))
			return return_from_call(process, vm,
						thread->wait.done ?
							(int64_t)thread->wait
								.done :
							result,
						!thread->wait.done);
		if (!thread->is_waiting)
			linux_wait_changed(process);
		thread->is_waiting = true;
		thread->wait.seen = process->threads.calls;
		break;
	case LINUX_LEFT:
		linux_wait_changed(process);
		signals_drop_thread(&process->signals, thread->id);
		threads_remove(&process->threads, thread);
		break;
	default:
		break;
	}
	return 0;
}

/* Whether what @thread waits for, or a signal, may have come. */
static bool may_go_on(const struct linux_process *process,
		      const struct linux_thread *thread, uint64_t now_ns)
{
	const struct linux_threads *threads = &process->threads;
	const struct signal_thread *signals = thread == threads->current ?
						      &process->signals.thread :
						      &thread->signals;

	return !thread->is_waiting || thread->wait.seen != threads->calls ||
	       thread->wait.until_ns <= now_ns ||
	       (signals_pending(&process->signals, signals) & ~signals->mask);
}

/*
 * Tries each thread but @except once. Finds the next one that can run, and makes it the
 * current one; NULL: none can. process->step: LINUX_GO_ON, or else what a call has asked
 * for. 0 or -errno.
 */
static int try_threads(struct linux_process *process, struct vm *vm,
		       const struct linux_thread *except,
		       struct linux_thread **ret_next)
{
	struct linux_threads *threads = &process->threads;
	const unsigned first = threads->turn;
	const uint64_t now_ns = clock_now_ns();

	process->step = LINUX_GO_ON;
	*ret_next = NULL;
	for (unsigned i = 0; i < threads->count; i++) {
		const unsigned at = (first + i) % threads->count;
		struct linux_thread *thread = threads->list[at];

		int r = 0;

		if (thread == except || !may_go_on(process, thread, now_ns))
			continue;
		if (thread->is_waiting) {
			enter(process, thread);
			r = do_call(process, vm);
		}
		threads->turn = at + 1;
		if (r || process->step != LINUX_WAIT) {
			*ret_next = thread;
			return r;
		}
		process->step = LINUX_GO_ON;
	}
	return 0;
}

/* The same, until none of those that go on waiting has changed anything for others. */
static int find_next(struct linux_process *process, struct vm *vm,
		     const struct linux_thread *except,
		     struct linux_thread **ret_next)
{
	bool is_expired = signals_expire(&process->signals);
	uint64_t calls;
	int r;

	is_expired = file_timers_expire(&process->files) || is_expired;
	is_expired = gunyah_expire(process) || is_expired;
	if (is_expired)
		linux_wait_changed(process);
	do {
		calls = process->threads.calls;
		r = try_threads(process, vm, except, ret_next);
	} while (!r && process->step == LINUX_GO_ON && !*ret_next &&
		 process->threads.calls != calls);
	return r;
}

/* When the first that waits is to go on. */
static uint64_t first_wake(const struct linux_threads *threads)
{
	uint64_t first_ns = LINUX_WAIT_FOREVER;

	for (unsigned i = 0; i < threads->count; i++) {
		const struct linux_thread *thread = threads->list[i];

		if (thread->is_waiting && thread->wait.until_ns < first_ns)
			first_ns = thread->wait.until_ns;
	}
	return first_ns;
}

/* The current thread cannot run, or lets others run: has the next one run. */
static int run_next(struct linux_process *process, struct vm *vm)
{
	struct linux_threads *threads = &process->threads;
	struct signal_timers *timers = &process->signals.timers;
	struct linux_thread *next;
	uint64_t timer_ns;
	int r;

	threads->is_yielding = false;
	r = find_next(process, vm, NULL, &next);
	if (r || process->step != LINUX_GO_ON)
		return r;
	if (next)
		return load(process, vm, next);
	signal_timers_wait(timers);
	timer_ns = signal_timers_next(timers);
	process->wake_ns = first_wake(threads);
	if (timer_ns < process->wake_ns)
		process->wake_ns = timer_ns;
	timer_ns = file_timers_next(&process->files);
	if (timer_ns < process->wake_ns)
		process->wake_ns = timer_ns;
	timer_ns = gunyah_next(process);
	if (timer_ns < process->wake_ns)
		process->wake_ns = timer_ns;
	process->step = process->wake_ns == LINUX_WAIT_FOREVER ? LINUX_STUCK :
								 LINUX_SLEEP;
	if (process->step == LINUX_SLEEP)
		shim_sleep(process);
	return 0;
}

/* When the current thread's turn ends; UINT64_MAX: never. */
static uint64_t turn_end(const struct linux_process *process)
{
	const struct linux_threads *threads = &process->threads;
	uint64_t end_ns;

	if (threads->count == 1)
		return UINT64_MAX;
	end_ns = first_wake(threads);
	if (file_timers_next(&process->files) < end_ns)
		end_ns = file_timers_next(&process->files);
	for (unsigned i = 0; i < threads->count; i++) {
		const struct linux_thread *thread = threads->list[i];

		if (thread != threads->current &&
		    may_go_on(process, thread, 0) &&
		    threads->turn_end_ns < end_ns)
			end_ns = threads->turn_end_ns;
	}
	/* or those few instructions would never run */
	return end_ns > threads->retry_ns ? end_ns : threads->retry_ns;
}

/* Whether the current thread, which could run on, is to let others run. */
static bool is_turn_over(struct linux_process *process)
{
	const struct linux_threads *threads = &process->threads;

	if (threads->count == 1)
		return false;
	return threads->is_yielding || clock_now_ns() >= turn_end(process);
}

/* What the shim has noted of the current thread; of a program that ends, its output. */
static int take_from_shim(struct linux_process *process)
{
	if (process->threads.current->wait.call.number != SYS_exit_group)
		return shim_take(process);
	shim_take_output(process);
	return 0;
}

/* What the thread that runs next may find in the shim, if one does. */
static int give_to_shim(struct linux_process *process)
{
	return process->step == LINUX_GO_ON ? shim_give(process) : 0;
}

int linux_call(struct linux_process *process, struct vm *vm,
	       enum linux_step *ret_step)
{
	struct linux_thread *thread = process->threads.current;
	int r;

	process->gunyah.is_repeating = false;
	thread->wait.is_begun = false;
	vm_call_get(vm, &thread->wait.call);
	if (process->sites)
		sites_note(process->sites, &process->space, &thread->wait.call);
	r = take_from_shim(process);
	if (!r)
		r = do_call(process, vm);
	if (!r && (process->step == LINUX_WAIT || process->step == LINUX_LEFT ||
		   (process->step == LINUX_GO_ON && is_turn_over(process))))
		r = run_next(process, vm);
	else if (!r && process->step == LINUX_GO_ON &&
		 process->threads.loaded != thread)
		r = load(process, vm, thread);
	*ret_step = process->step;
	return r ? r : give_to_shim(process);
}

int linux_wake(struct linux_process *process, struct vm *vm,
	       enum linux_step *ret_step)
{
	int r;

	shim_wake(process);
	r = run_next(process, vm);
	*ret_step = process->step;
	return r ? r : give_to_shim(process);
}

/* Thaw's own code was about to run, which is over after a few instructions. */
static void retry_later(struct linux_process *process)
{
	process->threads.retry_ns = process->signals.retry_ns =
		clock_now_ns() + RETRY_NS;
}

int linux_preempt(struct linux_process *process, struct vm *vm,
		  const struct vm_exit *exit, enum linux_step *ret_step)
{
	struct linux_threads *threads = &process->threads;
	struct linux_thread *running = threads->current, *next = NULL;
	const bool is_due = handlers_are_due(process);
	const bool is_over = is_turn_over(process);
	int r;

	*ret_step = process->step = LINUX_GO_ON;
	if (!is_due && !is_over)
		return 0;
	r = unload(process, vm, exit);
	if (r == -EAGAIN) {
		retry_later(process);
		return shim_pass_on_next(process);
	}
	if (!r)
		r = shim_take(process);
	if (!r && is_over)
		r = find_next(process, vm, running, &next);
	if (!r && process->step == LINUX_GO_ON) {
		if (!next && !is_due)
			threads->loaded = running;
		r = load(process, vm, next ? next : running);
	}
	*ret_step = process->step;
	return r ? r : give_to_shim(process);
}

/* Has the program go on behind a function that thaw has called. */
static void return_from_function(struct linux_process *process,
				 struct thaw_frame *registers)
{
	const uint64_t result = registers->general[0];

	process->signals.is_return = true;
	signals_return(process, registers, 0, false);
	gunyah_returned(process, result, registers);
}

int linux_fault(struct linux_process *process, struct vm *vm,
		const struct vm_exit *exit)
{
	struct linux_threads *threads = &process->threads;
	struct linux_thread *thread = threads->current;
	int r = threads_need_frame(thread);

	process->step = LINUX_GO_ON;
	if (!r)
		r = vm_frame_save(vm, exit, thread->frame);
	if (!r)
		r = shim_take(process);
	if (r)
		return r;
	if (gunyah_is_return(process, exit))
		return_from_function(process, thread->frame);
	else if (!signals_fault(process, exit, thread->frame))
		return 0;
	threads->loaded = NULL;
	r = load(process, vm, thread);
	if (!r)
		r = give_to_shim(process);
	if (r)
		return r;
	return process->step != LINUX_EXIT;
}

uint64_t linux_turn_end(struct linux_process *process)
{
	const uint64_t signal_ns = signals_run_until(&process->signals);
	const uint64_t gunyah_ns = gunyah_next(process);
	uint64_t end_ns = turn_end(process);

	if (signal_ns < end_ns)
		end_ns = signal_ns;
	return gunyah_ns < end_ns ? gunyah_ns : end_ns;
}

int linux_call_pending(struct linux_process *process)
{
	/* the program makes it again */
	const bool is_again = process->gunyah.is_parked;
	int64_t result = is_again ? 0 : linux_call_dispatch(process);
	int r;

	gunyah_begin(process);
	process->threads.current->is_waiting = false;
	linux_wait_changed(process);
	signals_put_mask_back(&process->signals);
	/* with a request there is nothing more to wait for */
	if (process->step == LINUX_WAIT)
		result = -EINTR;
	r = shim_begin(process);
	/* each call is to be seen */
	if (!r && (process->program->trace.line || process->gunyah.is_on))
		r = shim_turn_off(process);
	return r || is_again ?
		       r :
		       vm_write(process->space.vm,
				THAW_GPA_FRAME +
					offsetof(struct thaw_frame, general),
				&result, sizeof(result));
}

static int save_asking(struct linux_process *process, struct vm *vm,
		       struct thaw_frame *ret_frame)
{
	struct linux_threads *threads = &process->threads;
	struct linux_thread *asking = threads->current;
	int r;

	if (threads->loaded == asking)
		return vm_call_save(vm, ret_frame);
	r = unload(process, vm, &after_call);
	if (r)
		return r;
	*ret_frame = *asking->frame;
	threads->loaded = asking;
	return 0;
}

int linux_save_asking(struct linux_process *process, struct vm *vm,
		      struct thaw_frame *ret_frame)
{
	const int r = save_asking(process, vm, ret_frame);

	if (!r)
		gunyah_park(process, ret_frame);
	return r;
}

void linux_describe_stuck(const struct linux_process *process, char *text,
			  size_t size)
{
	const struct linux_threads *threads = &process->threads;
	const struct linux_call_entry *entry =
		linux_call_find(threads->list[0]->wait.call.number);

	if (threads->count > 1)
		snprintf(text, size,
			 "the program's %u threads wait for what nothing in it "
			 "can bring about (the first one in system call %s)",
			 threads->count, entry ? entry->name : "?");
	else
		snprintf(text, size,
			 "the program waits for what nothing in it can bring "
			 "about (system call %s)",
			 entry ? entry->name : "?");
}

size_t linux_describe_end(const struct linux_process *process, char *text,
			  size_t size)
{
	const int signal = process->signal;
	int used;

	if (signal_is_stop(signal))
		used = snprintf(text, size,
				"the program was stopped by signal %d, and "
				"nobody can continue it",
				signal);
	else if (signal)
		used = snprintf(text, size,
				"the program was ended by signal %d", signal);
	else
		used = snprintf(text, size, "the program exited with status %d",
				process->status);
	return (size_t)used < size ? (size_t)used : size - 1;
}
