/*
 * poll.h - polled dispatch: invocations without an exit.
 *
 * A vm with a gate (vm_config.gate) can have its vcpu run by a thread of its
 * own. The function, when it is done, enters the gate: it says so in the control
 * page and waits there, in guest mode, for the next GO. The thread that owns the
 * vm hands an invocation over by writing it and GO, and collects it by polling;
 * in between it restores the vm. The words are in struct thaw_control.
 *
 *	if (poll_claim(vm))			a core to wait on
 *		vm_write(... vm_done_address(vm, true) ...)
 *	poll_start(vm, deadline_ns)
 *	while ((r = poll_check(vm, &exit)) > 0)	or poll_wait()
 *		...
 *	snapshot_restore()
 *	poll_rest(vm, now_ns)
 *
 * After some time without a GO the guest rings that it is idle, the vcpu's
 * thread sleeps, and its core is free for others. How many vcpus may wait at a
 * time is bounded: each keeps a CPU busy.
 *
 * All calls are for the thread that owns the vm, but for the poll_cores ones,
 * which any thread may make.
 */
#ifndef VM_POLL_H
#define VM_POLL_H

#include <stdbool.h>
#include <stdint.h>

#include "vm/vm.h"

/* How long a vcpu waits at the gate before it rings, as a rule. */
#define POLL_WAIT_MIN_NS UINT64_C(100000)
#define POLL_WAIT_MAX_NS UINT64_C(1000000)

/* How long poll_wait() polls before it sleeps, as a rule. */
#define POLL_SPIN_NS UINT64_C(200000)

/* Half of the CPUs this process may use. */
#define POLL_CORES_DEFAULT UINT32_MAX

/*
 * Bounds how many vcpus of this process wait at gates at a time, by default
 * POLL_CORES_DEFAULT. All CPUs but one is the most; 0: none.
 */
void poll_cores_set(uint32_t cores);

/*
 * For tests: takes so many cores for granted, though there may be but one CPU,
 * where waiting for each other takes its time.
 */
void poll_cores_assume(uint32_t cores);

/* What the bound is now, with the CPUs there are now. */
uint32_t poll_cores(void);

/*
 * Whether the next invocation of @vm is to be polled: it has a core, or gets
 * one. False: the vm has no gate, or its rule is against it, or all cores are
 * taken, or there is no thread to be had, or none from a patient one. Then vm_run() runs it. To be called
 * once for every invocation.
 */
bool poll_claim(struct vm *vm);

/*
 * Has poll_claim() start the vcpu's thread even from one that is patient
 * (thread.h), though it will be so, too: for a vm that nobody waits for.
 */
void poll_allow_late_thread(struct vm *vm);

/*
 * Starts an invocation, or goes on after a log line, on the claimed core. The
 * vcpu's thread is woken if it sleeps; else this is two stores.
 */
void poll_start(struct vm *vm, uint64_t deadline_ns);

/*
 * Whether what was started has ended: 0 and *@ret_exit, as vm_run(); 1: not yet;
 * or -errno.
 */
int poll_check(struct vm *vm, struct vm_exit *ret_exit);

/* Polls, and later sleeps, until it has. 0 and *@ret_exit, or -errno. */
int poll_wait(struct vm *vm, struct vm_exit *ret_exit);

/*
 * The invocation is over, at @now_ns (CLOCK_MONOTONIC): gives back the core of a
 * vm that does not wait at the gate.
 */
void poll_rest(struct vm *vm, uint64_t now_ns);

/* Has a vm that waits at the gate wait no longer, and gives back its core. */
void poll_stop(struct vm *vm);

/*
 * If what waits is the function itself: as poll_stop(), and true. For what must
 * not be disturbed by a function that only says that it waits.
 */
bool poll_distrust(struct vm *vm);

/*
 * When the guest waits at the gate: once invocations come, on average, within
 * enter_ns after the last ended, and until they come no more within leave_ns,
 * which is not less. And how long it waits for the next one: a few times that
 * average, within bounds.
 */
struct poll_rule {
	uint64_t enter_ns, leave_ns;
	uint64_t wait_min_ns, wait_max_ns;
	uint64_t spin_ns; /* how long poll_wait() polls before it sleeps */
};

/* Always, and for so long. */
#define POLL_RULE_ALWAYS(wait_ns)                                      \
	((struct poll_rule){ UINT64_MAX, UINT64_MAX, wait_ns, wait_ns, \
			     wait_ns })

void poll_set_rule(struct vm *vm, const struct poll_rule *rule);

/* Whether the last claim failed for want of a core. */
bool poll_is_refused(const struct vm *vm);

/*
 * Whether the vcpu is in guest mode: runs the function, or waits at the gate.
 * For tests.
 */
bool poll_is_running(const struct vm *vm);

/* For vm.c: maps the control page, before the vcpu runs. */
int poll_init(struct vm *vm, struct error *err);

/* For vm.c: stops the vcpu's thread, if there is one, and unmaps. */
void poll_done(struct vm *vm);

/*
 * For vm.c: tells the guest of a new invocation, if there is one, and how often
 * it is to look for the one after it.
 */
void poll_begin(struct vm *vm, uint32_t looks);

/* For vm.c: whether the guest waits at the gate. */
bool poll_has_ended(struct vm *vm);

/*
 * For vm.c: the next run begins an invocation, and not at the gate. No DONE that
 * is in the control page by then counts.
 */
void poll_reset(struct vm *vm);

/* For vm.c: an invocation has ended now. */
void poll_end(struct vm *vm);

#endif
