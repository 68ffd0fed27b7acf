/* state_threads.c - the threads of a program in a state: see state.h. */
#include "executor/linux/state_threads.h"

#include <errno.h>
#include <sys/syscall.h>

#include "executor/linux/process.h"
#include "executor/linux/state_codec.h"
#include "executor/linux/state_signals.h"

/* So much more of a transfer no call has done. */
#define DONE_MAX ((uint64_t)INT64_MAX)

static void state_wait(struct state *state, struct linux_wait *wait)
{
	STATE_NUMBER(state, wait->call.number);
	for (unsigned i = 0; i < 6; i++)
		STATE_NUMBER(state, wait->call.args[i]);
	STATE_NUMBER(state, wait->call.pc);
	STATE_NUMBER(state, wait->call.sp);
	STATE_NUMBER(state, wait->is_begun);
	state_time(state, &wait->until_ns);
	STATE_NUMBER(state, wait->seen);
	STATE_NUMBER(state, wait->done);
	state_need(state, wait->done <= DONE_MAX, "a transfer that waits");
}

static void state_thread(struct state *state, struct linux_thread *thread,
			 bool is_loaded)
{
	STATE_NUMBER(state, thread->id);
	STATE_NUMBER(state, thread->is_waiting);
	state_wait(state, &thread->wait);
	STATE_NUMBER(state, thread->futex.address);
	STATE_NUMBER(state, thread->futex.bitset);
	STATE_NUMBER(state, thread->futex.is_woken);
	STATE_NUMBER(state, thread->futex.turn);
	STATE_NUMBER(state, thread->pointer);
	state_signal_thread(state, &thread->signals);
	STATE_NUMBER(state, thread->clear_tid);
	STATE_NUMBER(state, thread->robust_list);
	state_bytes(state, thread->name, sizeof(thread->name));
	/* those of the one that goes on first are in memory */
	if (!is_loaded)
		state_bytes(state, thread->frame, sizeof(*thread->frame));
	/* it never waits, and a thread that has left is no more */
	state_need(state,
		   !thread->is_waiting || thread->wait.call.number != SYS_exit,
		   "a thread that waits");
	state_need(state, thread->id >= 1 && thread->id <= LINUX_THREAD_ID_MAX,
		   "the id of a thread");
	state_need(state, !thread->name[LINUX_THREAD_NAME_SIZE - 1],
		   "the name of a thread");
}

static unsigned thread_place(const struct linux_threads *threads,
			     const struct linux_thread *thread)
{
	unsigned place = 0;

	while (place < threads->count && threads->list[place] != thread)
		place++;
	return place;
}

/* Makes the threads behind the first one, which is there. */
static void make_threads(struct state *state, struct linux_threads *threads,
			 unsigned count)
{
	struct linux_thread *thread;

	while (threads->count < count && state_is_good(state))
		if (threads_add(threads, &thread))
			state_fail(state, -ENOMEM, "no memory for threads");
	for (unsigned i = 0; i < threads->count && state_is_good(state); i++)
		if (threads_need_frame(threads->list[i]))
			state_fail(state, -ENOMEM, "no memory for registers");
}

static void state_list(struct state *state, struct linux_threads *threads)
{
	unsigned count = threads->count;
	unsigned current = thread_place(threads, threads->current);

	STATE_NUMBER(state, count);
	STATE_NUMBER(state, current);
	state_need(state,
		   count >= 1 && count <= LINUX_THREADS_MAX && current < count,
		   "the number of threads");
	if (!state_is_good(state))
		return;
	if (state_is_read(state)) {
		make_threads(state, threads, count);
		if (!state_is_good(state))
			return;
		threads->current = threads->loaded = threads->list[current];
	}
	state_need(state, threads->current == threads->loaded,
		   "the thread that goes on");
	for (unsigned i = 0; i < count && state_is_good(state); i++) {
		state_thread(state, threads->list[i], i == current);
		for (unsigned k = 0; k < i; k++)
			state_need(state,
				   threads->list[k]->id != threads->list[i]->id,
				   "two threads of one id");
	}
}

void state_threads(struct state *state, struct linux_process *process)
{
	struct linux_threads *threads = &process->threads;

	state_list(state, threads);
	STATE_NUMBER(state, threads->turn);
	STATE_NUMBER(state, threads->last_id);
	STATE_NUMBER(state, threads->main_status);
	STATE_NUMBER(state, threads->is_main_ended);
	STATE_NUMBER(state, threads->calls);
	STATE_NUMBER(state, threads->futex_turn);
	state_need(state,
		   threads->last_id >= 1 &&
			   threads->last_id <= LINUX_THREAD_ID_MAX,
		   "the last id of a thread");
}
