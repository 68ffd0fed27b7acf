/*
 * calls_futex.c - see calls_futex.h. All memory is of one process, so an address is what
 * names a futex, private or not. While a call is done no thread runs, so each is atomic.
 *
 * Reference: futex(2), get_robust_list(2).
 */
#include "executor/linux/calls_futex.h"

#include <errno.h>
#include <linux/futex.h>

#include "executor/linux/process.h"
#include "executor/linux/wait.h"

/* As in Linux: a list that is longer, or a circle, is left there. */
#define ROBUST_ENTRIES_MAX ROBUST_LIST_LIMIT
/* Of a pointer in a robust list: the futex has priority inheritance. */
#define ROBUST_PI 1u

static int read_futex(const struct linux_process *process, uint64_t address,
		      uint32_t *ret_value)
{
	if (address % sizeof(*ret_value))
		return -EINVAL;
	return space_read(&process->space, address, ret_value,
			  sizeof(*ret_value));
}

/* The thread that has waited longest for @address, and one bit of @bitset. */
static struct linux_thread *first_waiter(struct linux_process *process,
					 uint64_t address, uint32_t bitset)
{
	struct linux_threads *threads = &process->threads;
	struct linux_thread *first = NULL;

	for (unsigned i = 0; i < threads->count; i++) {
		struct linux_thread *thread = threads->list[i];
		const struct linux_futex *futex = &thread->futex;

		if (futex->address == address && !futex->is_woken &&
		    (futex->bitset & bitset) &&
		    (!first || futex->turn < first->futex.turn))
			first = thread;
	}
	return first;
}

/* Wakes at least one, as Linux does, and at most @count. */
static int64_t wake_waiters(struct linux_process *process, uint64_t address,
			    uint64_t count, uint32_t bitset)
{
	struct linux_thread *thread;
	int64_t woken = 0;

	if (!address)
		return 0;
	do {
		thread = first_waiter(process, address, bitset);
		if (!thread)
			break;
		thread->futex.is_woken = true;
		woken++;
	} while (woken < (int32_t)count);
	return woken;
}

int64_t linux_futex_wake(struct linux_process *process, uint64_t address,
			 uint64_t count)
{
	return wake_waiters(process, address, count, FUTEX_BITSET_MATCH_ANY);
}

/* When a wait is to end. */
static int read_end(const struct linux_process *process, const uint64_t *args,
		    uint64_t *ret_ns)
{
	const bool is_relative = (args[1] & FUTEX_CMD_MASK) == FUTEX_WAIT;
	uint64_t at_ns;
	int r;

	*ret_ns = LINUX_WAIT_FOREVER;
	if (!args[3])
		return 0;
	r = linux_wait_read_time(process, args[3], &at_ns);
	if (r)
		return r;
	*ret_ns = linux_wait_end(process,
				 args[1] & FUTEX_CLOCK_REALTIME ?
					 CLOCK_REALTIME :
					 CLOCK_MONOTONIC,
				 is_relative, at_ns);
	return 0;
}

/* A wait that was begun: it has been woken, its time is over, or it goes on. */
static int64_t go_on_waiting(struct linux_process *process)
{
	struct linux_futex *futex = &process->threads.current->futex;
	const bool is_woken = futex->is_woken;

	if (!is_woken && !linux_wait_is_over(process))
		return linux_wait(process, LINUX_WAIT_FOREVER);
	futex->address = 0;
	return is_woken ? 0 : -ETIMEDOUT;
}

static int64_t wait_for(struct linux_process *process, const uint64_t *args,
			uint32_t bitset)
{
	struct linux_threads *threads = &process->threads;
	uint64_t until_ns;
	uint32_t value;
	int r;

	if (linux_wait_is_begun(process))
		return go_on_waiting(process);
	if (!bitset)
		return -EINVAL;
	r = read_end(process, args, &until_ns);
	if (!r)
		r = read_futex(process, args[0], &value);
	if (r)
		return r;
	if (value != (uint32_t)args[2])
		return -EAGAIN;
	threads->current->futex = (struct linux_futex){
		.address = args[0],
		.bitset = bitset,
		.turn = ++threads->futex_turn,
	};
	return linux_wait(process, until_ns);
}

/* Wakes some that wait for the first futex, and has others wait for the second. */
static int64_t requeue(struct linux_process *process, const uint64_t *args,
		       bool compares)
{
	struct linux_thread *thread;
	uint32_t value, other;
	int64_t done;
	int r = read_futex(process, args[0], &value);

	if (!r)
		r = read_futex(process, args[4], &other);
	if (r)
		return r;
	if ((int32_t)args[2] < 0 || (int32_t)args[3] < 0)
		return -EINVAL;
	if (compares && value != (uint32_t)args[5])
		return -EAGAIN;
	done = (int32_t)args[2] ? linux_futex_wake(process, args[0], args[2]) :
				  0;
	for (int32_t i = 0; i < (int32_t)args[3]; i++) {
		thread = first_waiter(process, args[0], FUTEX_BITSET_MATCH_ANY);
		if (!thread || args[0] == args[4])
			break;
		thread->futex.address = args[4];
		thread->futex.turn = ++process->threads.futex_turn;
		done++;
	}
	return done;
}

static bool compare(uint32_t how, int32_t old, int32_t with)
{
	switch (how) {
	case FUTEX_OP_CMP_EQ:
		return old == with;
	case FUTEX_OP_CMP_NE:
		return old != with;
	case FUTEX_OP_CMP_LT:
		return old < with;
	case FUTEX_OP_CMP_LE:
		return old <= with;
	case FUTEX_OP_CMP_GT:
		return old > with;
	default:
		return old >= with;
	}
}

/* The fields of an operation, which are signed and have 12 bits. */
static int32_t field(uint32_t bits)
{
	return (int32_t)(bits << 20) >> 20;
}

/* Makes the new value. -ENOSYS: there is no such operation. */
static int operate(uint32_t operation, uint32_t old, uint32_t *ret_new)
{
	const uint32_t what = operation >> 28 & 7;
	uint32_t argument = (uint32_t)field(operation >> 12);

	if (operation >> 28 & FUTEX_OP_OPARG_SHIFT)
		argument = 1u << (argument & 31);
	switch (what) {
	case FUTEX_OP_SET:
		*ret_new = argument;
		return 0;
	case FUTEX_OP_ADD:
		*ret_new = old + argument;
		return 0;
	case FUTEX_OP_OR:
		*ret_new = old | argument;
		return 0;
	case FUTEX_OP_ANDN:
		*ret_new = old & ~argument;
		return 0;
	case FUTEX_OP_XOR:
		*ret_new = old ^ argument;
		return 0;
	}
	return -ENOSYS;
}

static int64_t wake_and_operate(struct linux_process *process,
				const uint64_t *args)
{
	const uint32_t operation = (uint32_t)args[5];
	const uint32_t how = operation >> 24 & 15;
	uint32_t value, old, new;
	int64_t woken;
	int r = read_futex(process, args[0], &value);

	if (!r)
		r = read_futex(process, args[4], &old);
	if (!r)
		r = operate(operation, old, &new);
	if (!r && how > FUTEX_OP_CMP_GE)
		r = -ENOSYS;
	if (!r)
		r = space_write(&process->space, args[4], &new, sizeof(new));
	if (r)
		return r;
	woken = linux_futex_wake(process, args[0], args[2]);
	if (compare(how, (int32_t)old, field(operation)))
		woken += linux_futex_wake(process, args[4], args[3]);
	return woken;
}

/* Of a private futex, only the address counts: its memory may be gone. */
static int64_t check_and_wake(struct linux_process *process,
			      const uint64_t *args, uint32_t bitset)
{
	uint32_t value;
	int r = read_futex(process, args[0], &value);

	if (!bitset)
		return -EINVAL;
	if (r && !(r == -EFAULT && (args[1] & FUTEX_PRIVATE_FLAG)))
		return r;
	return wake_waiters(process, args[0], args[2], bitset);
}

int64_t call_futex(struct linux_process *process, const uint64_t *args)
{
	const uint32_t what = (uint32_t)args[1] & (uint32_t)FUTEX_CMD_MASK;

	if ((args[1] & FUTEX_CLOCK_REALTIME) && what != FUTEX_WAIT &&
	    what != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (what) {
	case FUTEX_WAIT:
		return wait_for(process, args, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return wait_for(process, args, (uint32_t)args[5]);
	case FUTEX_WAKE:
		return check_and_wake(process, args, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return check_and_wake(process, args, (uint32_t)args[5]);
	case FUTEX_REQUEUE:
		return requeue(process, args, false);
	case FUTEX_CMP_REQUEUE:
		return requeue(process, args, true);
	case FUTEX_WAKE_OP:
		return wake_and_operate(process, args);
	}
	/* among them those with priority inheritance: nothing has a priority */
	return -ENOSYS;
}

/* Marks the futex at @address as that of a dead thread, if it holds it. */
static int end_futex(struct linux_process *process, uint64_t address,
		     bool is_pi, bool is_pending)
{
	const uint32_t id = (uint32_t)process->threads.current->id;
	uint32_t value, new;
	int r = read_futex(process, address, &value);

	if (r)
		return r;
	if (is_pending && !is_pi && !value) {
		linux_futex_wake(process, address, 1);
		return 0;
	}
	if ((value & FUTEX_TID_MASK) != id)
		return 0;
	new = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	r = space_write(&process->space, address, &new, sizeof(new));
	if (!r && !is_pi && (value & FUTEX_WAITERS))
		linux_futex_wake(process, address, 1);
	return r;
}

void linux_futex_end(struct linux_process *process)
{
	const uint64_t list = process->threads.current->robust_list;
	struct {
		uint64_t next;
		int64_t offset;
		uint64_t pending;
	} head;
	uint64_t at, next;

	if (!list || space_read(&process->space, list, &head, sizeof(head)))
		return;
	at = head.next;
	for (unsigned i = 0; i < ROBUST_ENTRIES_MAX; i++) {
		const uint64_t entry = at & ~(uint64_t)ROBUST_PI;

		if (entry == list)
			break;
		/* it may be freed as soon as it is marked */
		if (space_read(&process->space, entry, &next, sizeof(next)))
			return;
		if (entry != (head.pending & ~(uint64_t)ROBUST_PI) &&
		    end_futex(process, entry + (uint64_t)head.offset,
			      at & ROBUST_PI, false))
			return;
		at = next;
	}
	at = head.pending & ~(uint64_t)ROBUST_PI;
	if (at)
		end_futex(process, at + (uint64_t)head.offset,
			  head.pending & ROBUST_PI, true);
}
