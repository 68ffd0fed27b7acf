/*
 * signals.h - the signals of a Linux program: what it does about each, and which are
 * pending. How handlers come to run is in signal_delivery.h.
 *
 * A program is alone: it gets signals from itself, its timers and its faults. So none
 * comes while it is frozen, and none of an invocation is left for the next.
 *
 * On the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_SIGNALS_H
#define EXECUTOR_LINUX_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/linux/signal_frame.h"
#include "executor/linux/signal_timers.h"

#define LINUX_SIGNALS 64
#define SIGNALS_REAL_TIME 32 /* the first real-time signal, for the kernel */
/*
 * So many real-time signals wait for their delivery at most, as RLIMIT_SIGPENDING says;
 * one more is EAGAIN. Those of timers fit besides, and one of each other number; as many
 * more as many threads get them are EAGAIN, too.
 */
#define SIGNALS_QUEUED_MAX 128
#define SIGNALS_QUEUE_SIZE \
	(SIGNALS_QUEUED_MAX + SIGNAL_TIMERS + SIGNALS_REAL_TIME)

#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))
/* Those of faults, which are delivered before all others. */
#define SIGNALS_FIRST                                                    \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | \
	 SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS))

/* Flags of an alternate stack: there is none; it is given up while a handler runs. */
#define SIGNAL_STACK_NONE 2u
#define SIGNAL_STACK_DISARM 0x80000000u

/* What each thread has of its own. */
struct signal_thread {
	int32_t id;
	uint64_t mask;
	uint64_t saved_mask; /* what a call that waits is to put back */
	bool has_saved_mask;
	struct signal_stack stack;
	struct signal_trap trap; /* its last fault */
};

/* A pending signal. */
struct signal_queued {
	siginfo_t info;
	int32_t thread; /* 0: whichever thread does not block it */
	unsigned timer; /* its place in the list plus 1; 0: of none */
};

struct signals {
	bool is_changed;   /* since signals_init() or signals_copy() */
	bool is_whole;	   /* signals_copy() has made it */
	bool is_return;	   /* the call that is being done is rt_sigreturn() */
	unsigned handlers; /* entered, and not returned from */
	struct linux_action actions[LINUX_SIGNALS];
	struct signal_thread thread; /* of the current thread */
	struct signal_timers timers;
	uint64_t retry_ns; /* no interrupt before */
	size_t queued;
	struct signal_queued queue[SIGNALS_QUEUE_SIZE];
};

/* Makes them those of a program with one thread, whose id is 1. */
void signals_init(struct signals *signals);

/* Makes *@thread that of a new thread, which blocks nothing. */
void signal_thread_init(struct signal_thread *thread, int32_t id);

/* Makes of it what the snapshot holds. */
void signals_freeze(struct signals *signals);

/*
 * Makes *@to, zero or an earlier copy, equal to *@from, which is frozen. Its timers go on
 * with what was left of them.
 */
void signals_copy(struct signals *to, const struct signals *from);

/*
 * Sends the signal @info->si_signo, 1 to LINUX_SIGNALS, to the thread @thread; 0: to the
 * program. Nothing is kept of one that is ignored and not blocked. 0, or -EAGAIN: too
 * many wait.
 */
int signal_send(struct signals *signals, const siginfo_t *info, int32_t thread);

/* Sends @number to the current thread as kill() would: SIGPIPE, for example. */
void signal_raise(struct signals *signals, int number);

/* What is pending of @thread: SIGNAL_BIT() of each. */
uint64_t signals_pending(const struct signals *signals,
			 const struct signal_thread *thread);

/* Takes a signal of @set that is pending of the current thread. Its number, or 0. */
int signal_take(struct signals *signals, uint64_t set, siginfo_t *ret_info);

/* Drops what is pending of the thread @thread, which has ended. */
void signals_drop_thread(struct signals *signals, int32_t thread);

/* Drops what is pending and ignored. */
void signals_drop_ignored(struct signals *signals);

/* Drops what is pending of @timer. */
void signals_drop_timer(struct signals *signals,
			const struct signal_timer *timer);

/* Whether nothing happens when signal @number is delivered. */
bool signal_is_ignored(const struct signals *signals, int number);

/* Whether signal @number stops a program by default, and does not end it. */
bool signal_is_stop(int number);

/* Sets the mask, without SIGKILL and SIGSTOP. */
void signals_set_mask(struct signals *signals, uint64_t mask);

/*
 * Sets the mask for as long as the call waits that is being done: of rt_sigsuspend(),
 * ppoll() and the like. To be called each time that the call is done.
 */
void signals_set_wait_mask(struct signals *signals, uint64_t mask);

/* The call does not wait any more. */
void signals_put_mask_back(struct signals *signals);

/* Sends the signals of timers that have expired; whether there are any. */
bool signals_expire(struct signals *signals);

/* The same; then, whether a handler is to run in the current thread, or it ends. */
bool signals_are_due(struct signals *signals);

/* When a run must end because of a signal (CLOCK_MONOTONIC); UINT64_MAX: never. */
uint64_t signals_run_until(struct signals *signals);

/*
 * Sets the alternate stack as sigaltstack() does. -EINVAL; -ENOMEM, it is smaller than
 * signal_frame_stack_min().
 */
int signal_set_stack(struct signals *signals, const struct signal_stack *stack);

/* Whether @sp is on the alternate stack, unless that is given up meanwhile. */
bool signal_is_on_stack(const struct signal_stack *stack, uint64_t sp);

#endif
