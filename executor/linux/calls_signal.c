/* calls_signal.c - see calls_signal.h. A program is alone: all others are ESRCH. */
#include "executor/linux/calls_signal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "executor/linux/process.h"
#include "executor/linux/wait.h"

/* Who the program is: see calls_process.c. */
#define PROCESS_ID 1
#define USER_ID 65534
/* The size of the kernel's signal sets. */
#define SIGNAL_SET_SIZE 8
#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
/* Flags that the kernel knows; others it does not keep: SA_RESTORER is 0x04000000. */
#define ACTION_FLAGS                                                          \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | \
	 SA_NODEFER | SA_RESETHAND | 0x04000000ull)

int64_t call_rt_sigaction(struct linux_process *process, const uint64_t *args)
{
	struct signals *signals = &process->signals;
	const uint64_t number = args[0];
	struct linux_action action, old, *stored;

	if (args[3] != SIGNAL_SET_SIZE)
		return -EINVAL;
	if (args[1] &&
	    space_read(&process->space, args[1], &action, sizeof(action)))
		return -EFAULT;
	if (number < 1 || number > LINUX_SIGNALS ||
	    (args[1] && (SIGNAL_BIT(number) & UNBLOCKABLE)) ||
	    (args[1] && number == GUNYAH_SIGNAL && process->gunyah.is_on))
		return -EINVAL;
	stored = &signals->actions[number - 1];
	old = *stored;
	if (args[1]) {
		action.mask &= ~UNBLOCKABLE;
		action.flags &= ACTION_FLAGS;
		*stored = action;
		signals->is_changed = true;
		signals_drop_ignored(signals);
	}
	return args[2] ? space_write(&process->space, args[2], &old,
				     sizeof(old)) :
			 0;
}

int64_t call_rt_sigprocmask(struct linux_process *process, const uint64_t *args)
{
	const uint64_t old = process->signals.thread.mask;
	uint64_t set;

	if (args[3] != SIGNAL_SET_SIZE)
		return -EINVAL;
	if (args[1]) {
		if (space_read(&process->space, args[1], &set, sizeof(set)))
			return -EFAULT;
		if (args[0] == SIG_BLOCK)
			set |= old;
		else if (args[0] == SIG_UNBLOCK)
			set = old & ~set;
		else if (args[0] != SIG_SETMASK)
			return -EINVAL;
		signals_set_mask(&process->signals, set);
	}
	return args[2] ? space_write(&process->space, args[2], &old,
				     sizeof(old)) :
			 0;
}

int64_t call_rt_sigpending(struct linux_process *process, const uint64_t *args)
{
	const struct signals *signals = &process->signals;
	const struct signal_thread *thread = &signals->thread;
	const uint64_t set = signals_pending(signals, thread) & thread->mask;

	if (args[1] > SIGNAL_SET_SIZE)
		return -EINVAL;
	return space_write(&process->space, args[0], &set, args[1]);
}

int64_t call_sigaltstack(struct linux_process *process, const uint64_t *args)
{
	struct signals *signals = &process->signals;
	struct signal_stack old = signals->thread.stack, new;
	const bool is_on_stack =
		signal_is_on_stack(&old,
				   process->threads.current->wait.call.sp);
	int r = 0;

	if (args[0] && space_read(&process->space, args[0], &new, sizeof(new)))
		return -EFAULT;
	if (args[0] && is_on_stack)
		return -EPERM;
	if (args[0])
		r = signal_set_stack(signals, &new);
	if (r || !args[1])
		return r;
	old.flags &= SIGNAL_STACK_DISARM;
	if (!old.size)
		old.flags |= SIGNAL_STACK_NONE;
	else if (is_on_stack)
		old.flags |= SS_ONSTACK;
	return space_write(&process->space, args[1], &old, sizeof(old));
}

int64_t call_rt_sigreturn(struct linux_process *process, const uint64_t *args)
{
	(void)args;
	process->signals.is_return = true; /* signals_return() does it */
	return 0;
}

int64_t call_restart_syscall(struct linux_process *process,
			     const uint64_t *args)
{
	(void)process;
	(void)args;
	return -EINTR;
}

int64_t call_pause(struct linux_process *process, const uint64_t *args)
{
	(void)args;
	return linux_wait(process, LINUX_WAIT_FOREVER);
}

int64_t call_rt_sigsuspend(struct linux_process *process, const uint64_t *args)
{
	uint64_t mask;

	if (args[1] != SIGNAL_SET_SIZE)
		return -EINVAL;
	if (space_read(&process->space, args[0], &mask, sizeof(mask)))
		return -EFAULT;
	signals_set_wait_mask(&process->signals, mask);
	return linux_wait(process, LINUX_WAIT_FOREVER);
}

int64_t call_rt_sigtimedwait(struct linux_process *process,
			     const uint64_t *args)
{
	uint64_t until_ns = LINUX_WAIT_FOREVER, set, left_ns = 1;
	siginfo_t info;
	int number, r;

	if (args[3] != SIGNAL_SET_SIZE)
		return -EINVAL;
	if (space_read(&process->space, args[0], &set, sizeof(set)))
		return -EFAULT;
	r = args[2] ? linux_wait_read_time(process, args[2], &left_ns) : 0;
	if (r)
		return r;
	if (args[2])
		until_ns =
			linux_wait_end(process, CLOCK_MONOTONIC, true, left_ns);
	signals_expire(&process->signals);
	number = signal_take(&process->signals, set & ~UNBLOCKABLE, &info);
	if (number)
		return args[1] && space_write(&process->space, args[1], &info,
					      sizeof(info)) ?
			       -EFAULT :
			       number;
	if (!left_ns || linux_wait_is_over(process))
		return -EAGAIN;
	return linux_wait(process, until_ns);
}

/* Sends @number, or, if it is 0, only says whether it could be sent. */
static int64_t send_signal(struct linux_process *process, uint64_t number,
			   int code, int32_t thread)
{
	siginfo_t info;

	if (number > LINUX_SIGNALS)
		return -EINVAL;
	if (!number)
		return 0;
	memset(&info, 0, sizeof(info));
	info.si_signo = (int)number;
	info.si_code = code;
	info.si_pid = PROCESS_ID;
	info.si_uid = USER_ID;
	return signal_send(&process->signals, &info, thread);
}

/* 0: there is the thread. */
static int find_thread(const struct linux_process *process, int32_t group,
		       int32_t thread)
{
	if (group <= 0 || thread <= 0)
		return -EINVAL;
	if (group != PROCESS_ID || !threads_find(&process->threads, thread))
		return -ESRCH;
	return 0;
}

/* -1 means all others: there are none. */
int64_t call_kill(struct linux_process *process, const uint64_t *args)
{
	const int32_t pid = (int32_t)args[0];

	if (pid != PROCESS_ID && pid != 0)
		return -ESRCH;
	return send_signal(process, (uint32_t)args[1], SI_USER, 0);
}

int64_t call_tgkill(struct linux_process *process, const uint64_t *args)
{
	const int32_t thread = (int32_t)args[1];
	const int r = find_thread(process, (int32_t)args[0], thread);

	return r ? r :
		   send_signal(process, (uint32_t)args[2], SI_TKILL, thread);
}

int64_t call_tkill(struct linux_process *process, const uint64_t *args)
{
	const int32_t thread = (int32_t)args[0];
	const int r = find_thread(process, PROCESS_ID, thread);

	return r ? r :
		   send_signal(process, (uint32_t)args[1], SI_TKILL, thread);
}

/* To itself a program may send any siginfo. */
static int64_t queue_info(struct linux_process *process, uint64_t number,
			  uint64_t from, int32_t thread)
{
	siginfo_t info;

	if (space_read(&process->space, from, &info, sizeof(info)))
		return -EFAULT;
	if (number > LINUX_SIGNALS)
		return -EINVAL;
	if (!number)
		return 0;
	info.si_signo = (int)number;
	return signal_send(&process->signals, &info, thread);
}

int64_t call_rt_sigqueueinfo(struct linux_process *process,
			     const uint64_t *args)
{
	return (int32_t)args[0] == PROCESS_ID ?
		       queue_info(process, (uint32_t)args[1], args[2], 0) :
		       -ESRCH;
}

int64_t call_rt_tgsigqueueinfo(struct linux_process *process,
			       const uint64_t *args)
{
	const int32_t thread = (int32_t)args[1];
	const int r = find_thread(process, (int32_t)args[0], thread);

	return r ? r : queue_info(process, (uint32_t)args[2], args[3], thread);
}
