/*
 * thread.h - the threads of a Linux program: what a kernel would keep of each. They take
 * turns on the one vcpu: see schedule.h.
 *
 * Belongs to the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_THREAD_H
#define EXECUTOR_LINUX_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/linux/signals.h"
#include "guest/abi/thaw_linux.h"
#include "vm/calls.h"

/* A program may have so many at once; then clone() returns EAGAIN. */
#define LINUX_THREADS_MAX 64
/* How long a thread runs while others could. */
#define LINUX_TURN_NS ((uint64_t)5 * 1000 * 1000)
#define LINUX_THREAD_NAME_SIZE 16
/* As in Linux: the bits of a futex that name a thread have room for it. */
#define LINUX_THREAD_ID_MAX 0x3fffff

/* A call, and how it waits: see wait.h. */
struct linux_wait {
	struct vm_call call;
	bool is_begun;	   /* it waits, or has been done again */
	uint64_t until_ns; /* CLOCK_MONOTONIC, if it is begun */
	uint64_t seen;	   /* linux_threads.calls when it was last done */
	uint64_t done;	   /* what it has transferred, if it is begun */
};

/* A wait for a futex: see calls_futex.c. */
struct linux_futex {
	uint64_t address; /* 0: it waits for none */
	uint32_t bitset;
	bool is_woken;
	uint64_t turn; /* the lowest is woken first */
};

struct linux_thread {
	int32_t id;
	bool is_waiting; /* its call is not completed; else it can run */
	struct linux_wait wait;
	struct linux_futex futex;
	uint64_t pointer; /* the thread pointer, as far as calls have set it */
	/* while another thread is the current one */
	struct signal_thread signals;
	uint64_t clear_tid;   /* what becomes 0 when it ends; 0: nothing */
	uint64_t robust_list; /* 0: none */
	char name[LINUX_THREAD_NAME_SIZE];
	struct thaw_frame *frame; /* owned; its registers, unless it is loaded */
};

struct linux_threads {
	/* the living ones; behind them those that may be used again, or NULL */
	struct linux_thread *list[LINUX_THREADS_MAX];
	unsigned count;
	unsigned turn; /* where to look for the next one to run */
	struct linux_thread *current; /* whose call is being done */
	struct linux_thread *loaded; /* whose registers the vcpu has, or NULL */
	int32_t last_id;
	bool is_yielding; /* the current one lets others run */
	int main_status;  /* that of the first thread, if it has ended */
	bool is_main_ended;
	uint64_t calls;	      /* completed so far */
	uint64_t futex_turn;  /* of the last wait for a futex */
	uint64_t turn_end_ns; /* CLOCK_MONOTONIC */
	uint64_t retry_ns;    /* no turn ends before */
};

/* Makes the first thread. 0 or -ENOMEM. */
int threads_init(struct linux_threads *threads);
void threads_done(struct linux_threads *threads);

/* Makes *@to, zero or an earlier copy, equal to *@from. 0 or -ENOMEM. */
int threads_copy(struct linux_threads *to, const struct linux_threads *from);

/*
 * Adds a thread, all zero but its id and its frame's memory. -EAGAIN: there are
 * LINUX_THREADS_MAX; -ENOMEM.
 */
int threads_add(struct linux_threads *threads,
		struct linux_thread **ret_thread);

/* Removes @thread, which may be the current one; then there is none. */
void threads_remove(struct linux_threads *threads, struct linux_thread *thread);

/* The thread @id; NULL: there is none. */
struct linux_thread *threads_find(const struct linux_threads *threads,
				  int32_t id);

/* Sees to it that @thread has memory for its registers. 0 or -ENOMEM. */
int threads_need_frame(struct linux_thread *thread);

#endif
