/*
 * signal_timers.h - the timers of a Linux program that send signals: those of
 * setitimer(), and those of timer_create().
 *
 * A timer that has expired is armed again when its signal is taken, as the kernel does,
 * so one whose signal is blocked costs nothing.
 *
 * On the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_SIGNAL_TIMERS_H
#define EXECUTOR_LINUX_SIGNAL_TIMERS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* Timers that timer_create() makes; one more is EAGAIN. */
#define SIGNAL_TIMERS_MAX 32
/* Those, behind the three of setitimer(): ITIMER_REAL, _VIRTUAL, _PROF. */
#define SIGNAL_TIMERS_OWN 3
#define SIGNAL_TIMERS (SIGNAL_TIMERS_OWN + SIGNAL_TIMERS_MAX)

struct signal_timer {
	bool is_used;
	bool is_sent;	  /* its signal is pending */
	bool is_run_time; /* counts while the program does not wait */
	bool is_silent;	  /* sends nothing */
	int number;	  /* the signal */
	int32_t thread;	  /* which gets it; 0: the program */
	uint64_t value;	  /* si_value */
	uint64_t clock;	  /* as timer_create() was told */
	uint64_t end_ns;  /* of its clock; frozen: what is left; 0: not armed */
	uint64_t every_ns; /* 0: once */
	int overrun;	   /* of the last signal */
};

struct signal_timers {
	unsigned armed;	    /* how many */
	uint64_t waited_ns; /* how long the program has waited */
	uint64_t wait_ns;   /* since when it waits; 0: it does not */
	struct signal_timer list[SIGNAL_TIMERS];
};

void signal_timers_init(struct signal_timers *timers);

/* To be called when the program begins to wait, and when it goes on. */
void signal_timers_wait(struct signal_timers *timers);
void signal_timers_go_on(struct signal_timers *timers);

/* Replaces the ends of timers by what is left, and back. */
void signal_timers_freeze(struct signal_timers *timers);
void signal_timers_thaw(struct signal_timers *timers);

/* When the first expires (CLOCK_MONOTONIC); UINT64_MAX: none does. */
uint64_t signal_timers_next(const struct signal_timers *timers);

/*
 * Finds the next timer behind place @after, from 0, that has expired, and whose signal
 * is now to be sent. Returns its place in the list plus 1; 0: there is none.
 */
unsigned signal_timers_expire(struct signal_timers *timers, unsigned after);

/* The signal of @timer was taken: arms it again, and counts what was missed. */
void signal_timer_taken(struct signal_timers *timers,
			struct signal_timer *timer);

/*
 * The same for a signal that is ignored. It is not armed for less than a while, so that
 * the program can run meanwhile.
 */
void signal_timer_ignored(struct signal_timers *timers,
			  struct signal_timer *timer);

/*
 * Arms @timer, to expire in @left_ns and then every @every_ns, or, if @left_ns is 0,
 * stops it. What is pending of it is the caller's to drop.
 */
void signal_timer_set(struct signal_timers *timers, struct signal_timer *timer,
		      uint64_t left_ns, uint64_t every_ns);

/* How long it takes @timer to expire next; 0: it does not. */
uint64_t signal_timer_left(const struct signal_timers *timers,
			   const struct signal_timer *timer);

/* Whether a timer may go by @clock, a CLOCK_*. */
bool signal_timer_has_clock(uint64_t clock);

#endif
