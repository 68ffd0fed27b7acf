/*
 * watchdog.h - stops vcpus whose deadline has passed.
 *
 * One thread for the process watches every registered vcpu. Arming and
 * disarming a deadline are a few atomic operations, without a lock and, in
 * steady state, without a system call: the watchdog looks around by itself
 * while there is work, and is only woken from a long sleep.
 *
 * No kick is lost: the watchdog sets kvm_run->immediate_exit first and then
 * signals the thread, so the thread leaves KVM_RUN whether it was in it, about
 * to enter it, or just out of it. No kick is late either: watch_disarm() waits
 * for one that is under way, so it cannot hit the next invocation.
 */
#ifndef VM_WATCHDOG_H
#define VM_WATCHDOG_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct kvm_run;

/* Embedded in a vm; owned by the thread that runs it. */
struct watch {
	_Atomic uint64_t deadline_ns; /* or WATCH_* */
	pthread_t thread;	      /* valid while armed */
	struct kvm_run *run;
	struct watch *next, *previous; /* under the watchdog's lock */
};

/*
 * Starts the watchdog, if there is none yet: a thread with the niceness of the
 * caller, which should have the least of all that run vcpus.
 */
int watch_start(struct error *err);

/* Registers @watch; starts the watchdog if nobody has. */
int watch_init(struct watch *watch, struct kvm_run *run, struct error *err);

/* Unregisters @watch, which must be disarmed. */
void watch_done(struct watch *watch);

/* Starts the clock: CLOCK_MONOTONIC ns; UINT64_MAX for no deadline. */
void watch_arm(struct watch *watch, uint64_t deadline_ns);

/*
 * The same for a vcpu that another thread runs, which takes the signals that
 * watch_signals() leaves.
 */
void watch_arm_thread(struct watch *watch, pthread_t thread,
		      uint64_t deadline_ns);

/*
 * Starts the clock for a time that may be overrun by WATCH_SLACK_NS or so: then
 * the watchdog, which looks around more often, need not be woken even if @at_ns
 * is soon. For slices of time, which all runs of a server have.
 */
#define WATCH_SLACK_NS UINT64_C(500000)
void watch_arm_soft(struct watch *watch, uint64_t at_ns);

/* Puts all signals into @ret_blocked that a vcpu's thread has no use for. */
void watch_signals(sigset_t *ret_blocked);

/* Has @thread leave KVM_RUN, if it is in it. */
void watch_kick(pthread_t thread);

/* Whether the watchdog has begun to stop the armed vcpu. */
bool watch_expired(const struct watch *watch);

/* Stops the clock. Returns whether the deadline struck. */
bool watch_disarm(struct watch *watch);

#endif
