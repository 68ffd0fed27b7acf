/*
 * calls_thread.c - see calls_thread.h.
 *
 * References: clone(2), set_tid_address(2), get_robust_list(2), sched(7).
 */
#include "executor/linux/calls_thread.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/syscall.h>

#include "executor/linux/calls_futex.h"
#include "executor/linux/gunyah.h"
#include "executor/linux/process.h"
#include "guest/abi/thaw_abi.h"
#include "vm/calls.h"

/* What makes a thread: all that threads of a process have in common. */
#define THREAD_FLAGS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
/* What may be asked for besides; some of it changes nothing. */
#define THREAD_OPTIONS                                          \
	(CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |   \
	 CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_IO | \
	 CLONE_DETACHED)
/* In clone(), the signal at the end of a child process. */
#define EXIT_SIGNAL_MASK 0xffu

/* struct clone_args of the kernel's interface, as it was first and as it is. */
#define CLONE_ARGS_MIN CLONE_ARGS_SIZE_VER0

#define ROBUST_HEAD_SIZE 24
#define PRIORITY_REALTIME_MIN 1
#define PRIORITY_REALTIME_MAX 99

/* What clone() and clone3() ask for. */
struct new_thread {
	uint64_t flags;
	uint64_t sp; /* 0: that of the thread which asks */
	uint64_t pointer;
	uint64_t parent_id; /* addresses */
	uint64_t child_id;
};

static void put_id(struct linux_process *process, uint64_t address, int32_t id)
{
	/* Linux ignores, too, that it cannot be written */
	(void)space_write(&process->space, address, &id, sizeof(id));
}

/* Makes the registers of the thread that begins, from those of the current one. */
static int make_frame(struct linux_process *process,
		      struct linux_thread *thread, const struct new_thread *new)
{
	const bool sets_pointer = new->flags &CLONE_SETTLS;
	int r = vm_call_save(process->space.vm, thread->frame);

	vm_frame_clone(thread->frame, new->sp ? &new->sp : NULL,
		       sets_pointer ? &new->pointer : NULL);
	thread->pointer = sets_pointer ? new->pointer :
					 process->threads.current->pointer;
	return r;
}

static int64_t begin_thread(struct linux_process *process,
			    const struct new_thread *new)
{
	const struct linux_thread *parent = process->threads.current;
	struct linux_thread *thread;
	int r;

	/* the CPU would refuse it: see call_arch_prctl() */
	if ((new->flags &CLONE_SETTLS) && new->pointer >> 47)
		return -EPERM;
	/* another process */
	if ((new->flags &THREAD_FLAGS) != THREAD_FLAGS)
		return -EPERM;
	/* the functions of its devices run in the only one */
	if (process->gunyah.is_on)
		return -ENOSYS;
	if (new->flags & ~(uint64_t)(THREAD_FLAGS | THREAD_OPTIONS))
		return -EPERM;
	r = threads_add(&process->threads, &thread);
	if (r)
		return r;
	r = make_frame(process, thread, new);
	if (r) {
		threads_remove(&process->threads, thread);
		return r;
	}
	signal_thread_init(&thread->signals, thread->id);
	thread->signals.mask = process->signals.thread.mask;
	memcpy(thread->name, parent->name, sizeof(thread->name));
	if (new->flags & CLONE_PARENT_SETTID)
		put_id(process, new->parent_id, thread->id);
	if (new->flags & CLONE_CHILD_SETTID)
		put_id(process, new->child_id, thread->id);
	if (new->flags & CLONE_CHILD_CLEARTID)
		thread->clear_tid = new->child_id;
	return thread->id;
}

int64_t call_clone(struct linux_process *process, const uint64_t *args)
{
	const struct new_thread new = {
		.flags = (uint32_t)args[0] & ~EXIT_SIGNAL_MASK,
		.sp = args[1],
		.parent_id = args[2],
		.pointer = args[vm_clone_thread],
		.child_id = args[vm_clone_id],
	};

	return begin_thread(process, &new);
}

/* Reads the arguments of clone3(), of which a newer C library may have more. */
static int read_clone_args(const struct linux_process *process,
			   const uint64_t *args, struct clone_args *ret_args)
{
	uint8_t bytes[THAW_PAGE_SIZE];

	if (args[1] > THAW_PAGE_SIZE)
		return -E2BIG;
	if (args[1] < CLONE_ARGS_MIN)
		return -EINVAL;
	if (space_read(&process->space, args[0], bytes, args[1]))
		return -EFAULT;
	for (size_t i = sizeof(*ret_args); i < args[1]; i++)
		if (bytes[i])
			return -E2BIG;
	memset(ret_args, 0, sizeof(*ret_args));
	memcpy(ret_args, bytes,
	       args[1] < sizeof(*ret_args) ? args[1] : sizeof(*ret_args));
	return 0;
}

int64_t call_clone3(struct linux_process *process, const uint64_t *args)
{
	struct clone_args asked;
	int r = read_clone_args(process, args, &asked);

	if (r)
		return r;
	if (asked.set_tid_size)
		return -EPERM;
	if (!asked.stack != !asked.stack_size)
		return -EINVAL;
	if ((asked.flags & CLONE_THREAD) && asked.exit_signal)
		return -EINVAL;
	/* they share these bits with the signal of clone() */
	if (asked.flags & EXIT_SIGNAL_MASK)
		return -EPERM;
	return begin_thread(process,
			    &(struct new_thread){
				    .flags = asked.flags,
				    .sp = asked.stack + asked.stack_size,
				    .pointer = asked.tls,
				    .parent_id = asked.parent_tid,
				    .child_id = asked.child_tid,
			    });
}

/* Says that the current thread has ended to those that wait for it. */
static void announce_end(struct linux_process *process)
{
	const uint64_t address = process->threads.current->clear_tid;

	linux_futex_end(process);
	if (!address)
		return;
	put_id(process, address, 0);
	if (address % sizeof(uint32_t) == 0)
		linux_futex_wake(process, address, 1);
}

int64_t call_exit(struct linux_process *process, const uint64_t *args)
{
	struct linux_threads *threads = &process->threads;
	const int status = (int)(args[0] & 0xff);

	if (gunyah_exits(process, SYS_exit, args[0]))
		return 0;
	if (threads->current == threads->list[0] && !threads->is_main_ended) {
		threads->is_main_ended = true;
		threads->main_status = status;
	}
	if (threads->count > 1) {
		announce_end(process);
		process->step = LINUX_LEFT;
		return 0;
	}
	process->step = LINUX_EXIT;
	process->status = threads->main_status;
	return 0;
}

int64_t call_gettid(struct linux_process *process, const uint64_t *args)
{
	(void)args;
	return process->threads.current->id;
}

int64_t call_set_tid_address(struct linux_process *process,
			     const uint64_t *args)
{
	process->threads.current->clear_tid = args[0];
	return process->threads.current->id;
}

/* The thread that a call names: 0 is the current one. */
static struct linux_thread *named(const struct linux_process *process,
				  uint64_t id)
{
	return (int32_t)id ? threads_find(&process->threads, (int32_t)id) :
			     process->threads.current;
}

int64_t call_set_robust_list(struct linux_process *process,
			     const uint64_t *args)
{
	if (args[1] != ROBUST_HEAD_SIZE)
		return -EINVAL;
	process->threads.current->robust_list = args[0];
	return 0;
}

int64_t call_get_robust_list(struct linux_process *process,
			     const uint64_t *args)
{
	const struct linux_thread *thread = named(process, args[0]);
	const uint64_t size = ROBUST_HEAD_SIZE;

	if (!thread)
		return -ESRCH;
	if (space_write(&process->space, args[2], &size, sizeof(size)))
		return -EFAULT;
	return space_write(&process->space, args[1], &thread->robust_list,
			   sizeof(thread->robust_list));
}

int64_t call_getcpu(struct linux_process *process, const uint64_t *args)
{
	const uint32_t zero = 0;

	if (args[0] &&
	    space_write(&process->space, args[0], &zero, sizeof(zero)))
		return -EFAULT;
	return args[1] ? space_write(&process->space, args[1], &zero,
				     sizeof(zero)) :
			 0;
}

/* What one thread has written all see, since they run on one vcpu. */
int64_t call_membarrier(struct linux_process *process, const uint64_t *args)
{
	const uint64_t commands = MEMBARRIER_CMD_GLOBAL |
				  MEMBARRIER_CMD_PRIVATE_EXPEDITED |
				  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;

	(void)process;
	if (args[1])
		return -EINVAL;
	if (args[0] == MEMBARRIER_CMD_QUERY)
		return (int64_t)commands;
	return args[0] & (args[0] - 1) || !(args[0] & commands) ? -EINVAL : 0;
}

int64_t call_sched_yield(struct linux_process *process, const uint64_t *args)
{
	(void)args;
	process->threads.is_yielding = true;
	return 0;
}

int64_t call_sched_getaffinity(struct linux_process *process,
			       const uint64_t *args)
{
	const uint64_t set = 1;

	if (args[1] < sizeof(set) || args[1] % sizeof(set))
		return -EINVAL;
	if (!named(process, args[0]))
		return -ESRCH;
	return space_write(&process->space, args[2], &set, sizeof(set)) ?
		       -EFAULT :
		       (int64_t)sizeof(set);
}

int64_t call_sched_setaffinity(struct linux_process *process,
			       const uint64_t *args)
{
	uint8_t first;

	if (!named(process, args[0]))
		return -ESRCH;
	if (!args[1])
		return -EINVAL;
	if (space_read(&process->space, args[2], &first, sizeof(first)))
		return -EFAULT;
	return first & 1 ? 0 : -EINVAL;
}

static bool is_ordinary(uint64_t policy)
{
	return policy == SCHED_NORMAL || policy == SCHED_BATCH ||
	       policy == SCHED_IDLE;
}

static bool is_realtime(uint64_t policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

int64_t call_sched_getscheduler(struct linux_process *process,
				const uint64_t *args)
{
	return named(process, args[0]) ? SCHED_NORMAL : -ESRCH;
}

int64_t call_sched_setscheduler(struct linux_process *process,
				const uint64_t *args)
{
	const uint64_t policy = args[1] & ~(uint64_t)SCHED_RESET_ON_FORK;
	int32_t priority;

	if (!named(process, args[0]))
		return -ESRCH;
	if (space_read(&process->space, args[2], &priority, sizeof(priority)))
		return args[2] ? -EFAULT : -EINVAL;
	if (is_realtime(policy))
		return -EPERM;
	return is_ordinary(policy) && !priority ? 0 : -EINVAL;
}

int64_t call_sched_getparam(struct linux_process *process, const uint64_t *args)
{
	const int32_t priority = 0;

	if (!named(process, args[0]))
		return -ESRCH;
	if (!args[1])
		return -EINVAL;
	return space_write(&process->space, args[1], &priority,
			   sizeof(priority));
}

int64_t call_sched_setparam(struct linux_process *process, const uint64_t *args)
{
	int32_t priority;

	if (!named(process, args[0]))
		return -ESRCH;
	if (space_read(&process->space, args[1], &priority, sizeof(priority)))
		return args[1] ? -EFAULT : -EINVAL;
	return priority ? -EINVAL : 0;
}

int64_t call_sched_get_priority_max(struct linux_process *process,
				    const uint64_t *args)
{
	(void)process;
	if (is_realtime(args[0]))
		return PRIORITY_REALTIME_MAX;
	return is_ordinary(args[0]) ? 0 : -EINVAL;
}

int64_t call_sched_get_priority_min(struct linux_process *process,
				    const uint64_t *args)
{
	(void)process;
	if (is_realtime(args[0]))
		return PRIORITY_REALTIME_MIN;
	return is_ordinary(args[0]) ? 0 : -EINVAL;
}

/* The turn of a thread. */
int64_t call_sched_rr_get_interval(struct linux_process *process,
				   const uint64_t *args)
{
	const struct timespec turn = { .tv_nsec = LINUX_TURN_NS };

	if (!named(process, args[0]))
		return -ESRCH;
	return space_write(&process->space, args[1], &turn, sizeof(turn));
}
