/*
 * poll.h - polled dispatch: invocations without an exit.
 *
 * A vm with a gate (vm_config.gate) can have its vcpu run by a thread of its own.
 * When the function is done, it enters the gate. The gate says so in the control
 * page (control.h) and waits there, in guest mode, for the next GO. The thread that
 * owns the vm hands over an invocation by writing it and then GO, and collects it
 * by polling DONE. In between it restores the vm.
 *
 *	poll_attach(vm, &rule)			once, before the vm runs
 *
 *	if (poll_claim(vm))			a core to wait on
 *		vm_write(... vm_done_address(vm, true) ...)
 *	poll_start(vm, deadline_ns)
 *	while ((r = poll_check(vm, &exit)) > 0)	or poll_wait()
 *		...
 *	snapshot_restore()
 *	poll_rest(vm, now_ns)
 *
 * After some time without a GO the guest rings that it is idle, the vcpu's thread
 * sleeps, and its core is free for others. Each vcpu that waits keeps a CPU busy,
 * so poll_cores.h bounds how many wait at a time.
 *
 * All calls are for the thread that owns the vm.
 */
#ifndef VM_POLL_H
#define VM_POLL_H

#include <stdbool.h>
#include <stdint.h>

struct vm;
struct vm_exit;

/* How long a vcpu waits at the gate before it rings, as a rule. */
#define POLL_WAIT_MIN_NS UINT64_C(100000)
#define POLL_WAIT_MAX_NS UINT64_C(1000000)

/* How long poll_wait() polls before it sleeps, as a rule. */
#define POLL_SPIN_NS UINT64_C(200000)

/*
 * When the guest waits at the gate. It begins to once the mean time from the end
 * of one invocation to the next is at most enter_ns, and stops once that time is
 * above leave_ns, which is not less. It waits for a few such times, within bounds. If
 * is_spare, it waits only on a core that is spare (poll_cores.h).
 */
struct poll_rule {
	uint64_t enter_ns, leave_ns;
	uint64_t wait_min_ns, wait_max_ns;
	uint64_t spin_ns; /* how long poll_wait() polls before it sleeps */
	bool is_spare;
};

/* Always, and for so long. */
#define POLL_RULE_ALWAYS(wait_ns)                                      \
	((struct poll_rule){ UINT64_MAX, UINT64_MAX, wait_ns, wait_ns, \
			     wait_ns, false })

/*
 * Lets @vm, which has a gate and has not run, be polled by @rule, which is copied.
 * vm_free() undoes it. 0 or -ENOMEM. To all other calls, a vm without this is one
 * that is never polled.
 */
int poll_attach(struct vm *vm, const struct poll_rule *rule);

/*
 * Whether the next invocation of @vm is to be polled: it has a core, or gets one.
 * To be called once for every invocation. False: vm_run() is to run it, since the
 * vm is never polled, or its rule is against it, or all cores are taken, or its
 * thread could not be started, as from a patient thread (thread.h).
 */
bool poll_claim(struct vm *vm);

/*
 * Allows poll_claim() to start the vcpu's thread from a patient one, though the
 * new thread is patient as well. For an attached vm that nobody waits for.
 */
void poll_allow_late_thread(struct vm *vm);

/*
 * Starts an invocation on the claimed core, or goes on with it after a log line or
 * a sleep. If the vcpu's thread sleeps, it is woken; otherwise this is two stores.
 */
void poll_start(struct vm *vm, uint64_t deadline_ns);

/*
 * Whether what was started has ended: 0 and *@ret_exit, as from vm_run(); 1: not
 * yet; or -errno.
 */
int poll_check(struct vm *vm, struct vm_exit *ret_exit);

/* Polls, and later sleeps, until it has ended. 0 and *@ret_exit, or -errno. */
int poll_wait(struct vm *vm, struct vm_exit *ret_exit);

/*
 * The invocation is over, at @now_ns (CLOCK_MONOTONIC). Gives back the core of a
 * vm that does not wait at the gate.
 */
void poll_rest(struct vm *vm, uint64_t now_ns);

/*
 * Kicks a vcpu that waits at the gate out of the guest, and gives back its core.
 * Does nothing to any other vm.
 */
void poll_stop(struct vm *vm);

/*
 * If what waits at the gate is the function itself, which may only claim to wait:
 * poll_stop(), and true. For work that a function must not disturb.
 */
bool poll_distrust(struct vm *vm);

/* Whether the last claim failed for want of a core. */
bool poll_is_refused(const struct vm *vm);

/*
 * Whether the vcpu is in guest mode: it runs the function, or waits at the gate.
 * For tests.
 */
bool poll_is_running(const struct vm *vm);

#endif
