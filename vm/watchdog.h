/*
 * watchdog.h - stops vcpus whose deadline has passed.
 *
 * One thread of the process watches every registered vcpu. Arming and disarming a
 * deadline take a few atomic operations and no lock. In steady state they take no
 * system call either: while vcpus run, the watchdog looks at them from time to time
 * by itself; it needs to be woken only from a long sleep.
 *
 * No kick is lost. The watchdog first sets kvm_run->immediate_exit and then signals
 * the thread, so the thread leaves KVM_RUN whether it was in it or about to enter
 * it. No kick is late either: watch_disarm() waits for a kick that is under way, so
 * it cannot hit the next invocation.
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
 * Starts the watchdog, unless it runs already. Its thread inherits the niceness of
 * the caller, which should be the lowest of all threads that run vcpus.
 */
int watch_start(struct error *err);

/* Registers @watch; starts the watchdog if nobody has. */
int watch_init(struct watch *watch, struct kvm_run *run, struct error *err);

/* Unregisters @watch, which must be disarmed. */
void watch_done(struct watch *watch);

/*
 * Arms @watch for a vcpu that the calling thread is about to run. @deadline_ns:
 * CLOCK_MONOTONIC; UINT64_MAX for no deadline.
 */
void watch_arm(struct watch *watch, uint64_t deadline_ns);

/*
 * The same for a vcpu that @thread runs, which must not block the signal that
 * watch_signals() leaves out.
 */
void watch_arm_thread(struct watch *watch, pthread_t thread,
		      uint64_t deadline_ns);

/*
 * Like watch_arm(), but the vcpu may overrun @at_ns by about WATCH_SLACK_NS. So the
 * watchdog, which looks more often meanwhile, need not be woken even if @at_ns is
 * soon. For slices of time, which all runs of a server have.
 */
#define WATCH_SLACK_NS UINT64_C(500000)
void watch_arm_soft(struct watch *watch, uint64_t at_ns);

/* Puts all signals but the watchdog's into @ret_blocked, for threads that run vcpus. */
void watch_signals(sigset_t *ret_blocked);

/* Signals @thread, which leaves KVM_RUN if it is in it. */
void watch_kick(pthread_t thread);

/* Whether the watchdog has begun to stop the armed vcpu. */
bool watch_expired(const struct watch *watch);

/* Disarms @watch. Returns whether the watchdog has struck. */
bool watch_disarm(struct watch *watch);

#endif
