/*
 * poll.c - polled dispatch: the vcpu's thread, and handing invocations over to
 * it. See poll.h. The hot path of a polled invocation: executor/invoke.c -> here
 * -> control.c, or exit.c. After it go to snapshot/restore.c.
 *
 * The word `turn` says who may touch the vcpu. While it is RUNNING, the vcpu's
 * thread may; at all other times the owner's thread may. The owner sets it to
 * RUNNING. When KVM_RUN has returned, the vcpu's thread leaves what it returned in
 * `result` and `exit` and sets the word to OUT. It judges nothing: not even whether
 * a signal was the watchdog's.
 *
 * The owner writes GO and then reads `turn`; the vcpu's thread writes OUT and then
 * reads GO. This is the race of a sleeper and a waker. All four accesses are
 * sequentially consistent, so at least one of the two sees what the other wrote.
 * The store of GO is an exchange; see watchdog.c. How GO and DONE order what host
 * and guest write is in control.c.
 */
#include "vm/poll.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hot.h"
#include "base/thread.h"
#include "guest/abi/thaw_abi.h"
#include "vm/arch.h"
#include "vm/control.h"
#include "vm/exit.h"
#include "vm/poll_cores.h"
#include "vm/vm_internal.h"
#include "vm/watchdog.h"

enum turn {
	TURN_PARKED, /* the thread sleeps, or there is none; no core */
	TURN_OUT,    /* not in KVM_RUN; the core is kept */
	TURN_RUNNING,
	TURN_QUIT,
};

/* The gate counts its looks at GO in a signed 32-bit number. */
#define LOOKS_MAX INT32_MAX
/*
 * The speed of looks that is assumed before the guest has been seen to ring. It is
 * a high one: with a low one, the first waits would be too short to measure.
 */
#define LOOKS_PER_MS_FIRST 64000
#define LOOKS_PER_MS_MIN 250
#define LOOKS_PER_MS_MAX 1000000
/* More time than leaving the guest and being scheduled take. */
#define LOOKS_SLACK_NS (300 * NS_PER_US)

/* The vcpu's thread needs next to no stack; under a sanitizer it needs some. */
#define STACK_SIZE (256u << 10)

/*
 * poll_wait() reads the clock once in so many looks at DONE: reading it at every
 * look would delay the next look.
 */
#define CHECKS_PER_CLOCK 16

/* The watchdog stops a vcpu that is still at the gate this long after its wait. */
#define REST_GRACE_NS (10 * NS_PER_MS)

/*
 * The longest single sleep of the owner. Normally the vcpu's thread wakes it
 * earlier.
 */
#define NAP_NS (5 * NS_PER_MS)

/*
 * The mean interval between invocations is weighted: the last one counts as one
 * part in 1 << INTERVAL_SHIFT, and at most as INTERVAL_MAX_NS.
 */
#define INTERVAL_SHIFT 3
#define INTERVAL_MAX_NS (4 * POLL_WAIT_MAX_NS)
/* The guest waits for so many mean intervals. */
#define WAIT_INTERVALS 3

struct poll {
	/* shared by the owner's thread and the vcpu's */
	_Atomic uint32_t turn;	 /* futex: enum turn */
	_Atomic uint32_t asleep; /* futex: the owner sleeps until the end */
	_Atomic bool is_resting; /* no invocation; the watchdog is armed */
	_Atomic uint32_t looks;	 /* the next wait at the gate, in looks at GO */

	/* the vcpu's thread's while RUNNING, else the owner's */
	struct vm_exit exit;
	int result;	  /* of exit_await() */
	uint64_t idle_at; /* when the guest last left KVM_RUN; host counter */

	/* the owner's */
	pthread_t thread; /* the vcpu's, if has_thread */
	bool has_thread;
	bool may_be_late;      /* poll_allow_late_thread() */
	bool is_wanted;	       /* by the rule */
	bool is_refused;       /* there was no core at the last claim */
	uint64_t wait_ns;      /* the next wait at the gate */
	uint32_t looks_per_ms; /* the speed of looks, as far as it is known */
	uint64_t interval_ns; /* mean, from the end of one invocation to the next */
	struct poll_rule rule;
};

static void futex_wait(_Atomic uint32_t *word, uint32_t value,
		       const struct timespec *timeout)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static bool is_running(const struct poll *poll)
{
	return atomic_load(&poll->turn) == TURN_RUNNING;
}

bool poll_is_running(const struct vm *vm)
{
	return vm->poll && is_running(vm->poll);
}

/*
 * Leaves the vcpu to its owner, and parks if there is nothing to do. What has ended
 * KVM_RUN does not tell that: a signal may be somebody else's. If the guest's own
 * word that it is done cannot be trusted, the owner's word `is_resting` counts.
 */
static void step_out(struct vm *vm)
{
	struct poll *poll = vm->poll;
	const bool may_park =
		poll->result == -EINTR || poll->result == -ENOBUFS ||
		(!poll->result && poll->exit.kind == VM_EXIT_IDLE);
	uint32_t turn = TURN_OUT;

	poll->idle_at = arch_counter_now();
	atomic_store(&poll->turn, TURN_OUT);
	if (atomic_exchange(&poll->asleep, 0))
		futex_wake(&poll->asleep);
	/* it does not park if there is a GO that the guest has not seen */
	if (may_park &&
	    (control_has_no_work(&vm->control) ||
	     atomic_load(&poll->is_resting)) &&
	    atomic_compare_exchange_strong(&poll->turn, &turn, TURN_PARKED))
		poll_core_give();
}

/*
 * Whether the guest has rung only because its owner sleeps and is to be woken:
 * then it goes on waiting at the gate.
 */
static bool goes_on(struct vm *vm)
{
	struct poll *poll = vm->poll;

	if (poll->result || poll->exit.kind != VM_EXIT_IDLE ||
	    !control_has_no_work(&vm->control) || !atomic_load(&poll->asleep))
		return false;
	control_set_looks(&vm->control, atomic_load(&poll->looks));
	atomic_store(&poll->asleep, 0);
	futex_wake(&poll->asleep);
	return true;
}

static void *run_vcpu(void *argument)
{
	struct vm *vm = argument;
	struct poll *poll = vm->poll;

	thread_be_ordinary("thaw-vcpu");
	for (;;) {
		uint32_t turn = atomic_load(&poll->turn);

		if (turn == TURN_QUIT)
			return NULL;
		if (turn != TURN_RUNNING) {
			futex_wait(&poll->turn, turn, NULL);
			continue;
		}
		poll->result = exit_await(vm, &poll->exit);
		if (!goes_on(vm))
			step_out(vm);
	}
}

/*
 * The thread may run on every CPU of the process and takes no signal but the
 * watchdog's.
 */
static int create_vcpu_thread(struct vm *vm)
{
	struct poll *poll = vm->poll;
	pthread_attr_t attributes;
	sigset_t all, old;
	cpu_set_t set;
	int r;

	poll_cpus(&set);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	if (CPU_COUNT(&set))
		pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
	watch_signals(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&poll->thread, &attributes, run_vcpu, vm);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	poll->has_thread = !r;
	return r;
}

HOT void poll_rest(struct vm *vm, uint64_t now_ns)
{
	struct poll *poll = vm->poll;
	uint32_t turn = TURN_OUT;

	if (!poll)
		return;
	if (atomic_compare_exchange_strong(&poll->turn, &turn, TURN_PARKED)) {
		poll_core_give();
		return;
	}
	/* a function that only claims to wait must not keep its core */
	if (vm->gate == VM_GATE_USER && turn == TURN_RUNNING) {
		/* set before the watchdog is armed, and so before it strikes */
		atomic_store_explicit(&poll->is_resting, true,
				      memory_order_release);
		watch_arm_thread(&vm->watch, poll->thread,
				 now_ns + 2 * poll->wait_ns + REST_GRACE_NS);
	}
}

/*
 * Brings the vcpu out of KVM_RUN, and keeps it from entering again. One kick is
 * enough; many would keep its thread from doing anything else.
 */
static void kick_out(struct vm *vm)
{
	if (is_running(vm->poll)) {
		__atomic_store_n(&vm->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		watch_kick(vm->poll->thread);
		while (is_running(vm->poll))
			sched_yield();
	}
	__atomic_store_n(&vm->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}

/* The rest is over: the watchdog that guarded it must not strike an invocation. */
HOT static void end_rest(struct vm *vm)
{
	struct poll *poll = vm->poll;

	if (!atomic_load_explicit(&poll->is_resting, memory_order_relaxed))
		return;
	atomic_store_explicit(&poll->is_resting, false, memory_order_relaxed);
	if (watch_disarm(&vm->watch))
		kick_out(vm);
}

void poll_stop(struct vm *vm)
{
	if (!vm->poll)
		return;
	end_rest(vm);
	kick_out(vm);
	poll_rest(vm, 0); /* the vcpu is out: this parks it, and arms nothing */
}

bool poll_distrust(struct vm *vm)
{
	if (vm->gate != VM_GATE_USER)
		return false;
	poll_stop(vm);
	return true;
}

/* At most UINT32_MAX ticks, which is a second or more. */
static uint64_t ns_since(const struct vm *vm, uint64_t from, uint64_t to)
{
	uint64_t ticks = to - from;

	if (ticks > UINT32_MAX)
		ticks = UINT32_MAX;
	return (ticks * vm->counter_mult) >> vm->counter_shift;
}

/*
 * The guest has waited and rung, which tells whether its looks take longer than was
 * assumed, or less. Leaving the guest and being scheduled are not part of its looks.
 */
static void learn_looks(struct vm *vm)
{
	struct poll *poll = vm->poll;
	uint64_t waited_ns = ns_since(vm, vm->ended_at, poll->idle_at);

	if (poll->idle_at <= vm->ended_at)
		return; /* it rang at once, since its owner slept */
	if (waited_ns > 2 * poll->wait_ns + LOOKS_SLACK_NS &&
	    poll->looks_per_ms > LOOKS_PER_MS_MIN)
		poll->looks_per_ms /= 2;
	else if (waited_ns < poll->wait_ns &&
		 poll->looks_per_ms < LOOKS_PER_MS_MAX)
		poll->looks_per_ms *= 2;
}

/*
 * Takes the time since the last invocation into the mean, and says whether the
 * guest should wait for the next one at the gate.
 */
HOT static bool is_worth_while(struct vm *vm)
{
	struct poll *poll = vm->poll;
	uint64_t interval_ns = ns_since(vm, vm->ended_at, arch_counter_now());

	if (interval_ns > INTERVAL_MAX_NS)
		interval_ns = INTERVAL_MAX_NS;
	poll->interval_ns -= poll->interval_ns >> INTERVAL_SHIFT;
	poll->interval_ns += interval_ns >> INTERVAL_SHIFT;
	if (poll->interval_ns <= poll->rule.enter_ns)
		poll->is_wanted = true;
	else if (poll->interval_ns > poll->rule.leave_ns)
		poll->is_wanted = false;
	return poll->is_wanted;
}

void poll_allow_late_thread(struct vm *vm)
{
	vm->poll->may_be_late = true;
}

/*
 * A thread inherits the patience of the one that creates it. An invocation must not
 * wait for a vcpu whose thread is patient.
 */
static bool may_create_thread(const struct poll *poll)
{
	return poll->may_be_late || !thread_is_patient();
}

HOT bool poll_claim(struct vm *vm)
{
	struct poll *poll = vm->poll;

	if (!poll)
		return false;
	end_rest(vm);
	poll->is_refused = false;
	if (poll_cores_exceeded())
		poll_stop(vm); /* the bound has been lowered */
	if (!is_worth_while(vm)) {
		poll_stop(vm);
		return false;
	}
	if (atomic_load(&poll->turn) != TURN_PARKED)
		return true;
	if (vm->control.at_gate && !poll->result &&
	    poll->exit.kind == VM_EXIT_IDLE)
		learn_looks(vm);
	if (!poll_core_take(poll->rule.is_spare)) {
		poll->is_refused = true;
		return false;
	}
	if (!poll->has_thread &&
	    (!may_create_thread(poll) || create_vcpu_thread(vm))) {
		poll_core_give();
		return false;
	}
	atomic_store(&poll->turn, TURN_OUT);
	return true;
}

HOT static void let_run(struct poll *poll)
{
	uint32_t turn = TURN_OUT;

	if (!atomic_compare_exchange_strong(&poll->turn, &turn, TURN_RUNNING)) {
		if (turn == TURN_RUNNING)
			return;
		/*
		 * It has parked since poll_claim(). Another vcpu may have the
		 * core that it gave back: then one core too many is taken, for
		 * one wait.
		 */
		poll_core_force();
		atomic_store(&poll->turn, TURN_RUNNING);
	}
	futex_wake(&poll->turn);
}

/* Chooses how long to wait for the next: longer than the last ones took to come. */
HOT static void choose_looks(struct poll *poll)
{
	uint64_t wait_ns = WAIT_INTERVALS * poll->interval_ns, looks;

	if (wait_ns < poll->rule.wait_min_ns)
		wait_ns = poll->rule.wait_min_ns;
	if (wait_ns > poll->rule.wait_max_ns)
		wait_ns = poll->rule.wait_max_ns;
	poll->wait_ns = wait_ns;
	looks = wait_ns / NS_PER_US * poll->looks_per_ms / 1000;
	poll->looks = (uint32_t)(looks < LOOKS_MAX ? looks : LOOKS_MAX);
}

/*
 * If the vcpu ran before GO, it may be out since, with what the invocation has rung for:
 * that is judged by poll_check(), which lets it run on if it was nothing. Once the thread
 * has parked, it was nothing.
 */
HOT void poll_start(struct vm *vm, uint64_t deadline_ns)
{
	struct poll *poll = vm->poll;
	const bool ran = is_running(poll);

	watch_arm_thread(&vm->watch, poll->thread, deadline_ns);
	if (vm->control.is_new)
		choose_looks(poll);
	control_begin(&vm->control, poll->looks);
	if (!ran || atomic_load(&poll->turn) == TURN_PARKED)
		let_run(poll);
}

/* The function is done and at the gate. */
HOT static int end_at_gate(struct vm *vm, struct vm_exit *exit)
{
	*exit = (struct vm_exit){ .kind = VM_EXIT_DOORBELL,
				  .bell = THAW_BELL_DONE,
				  .polled = true };
	/*
	 * A kick that came too late brings the vcpu out of KVM_RUN, or was lost on
	 * the way into it. The next invocation must not take it for its own.
	 */
	if (watch_disarm(&vm->watch))
		kick_out(vm);
	vm->control.at_gate = true;
	vm->ended_at = arch_counter_now();
	return 0;
}

HOT int poll_check(struct vm *vm, struct vm_exit *ret_exit)
{
	struct poll *poll = vm->poll;
	int r;

	if (control_is_done(&vm->control))
		return end_at_gate(vm, ret_exit);
	if (is_running(poll))
		return 1;
	/* between these two it may have come to the gate, and out of the guest */
	if (control_is_done(&vm->control))
		return end_at_gate(vm, ret_exit);
	*ret_exit = poll->exit;
	r = exit_judge(vm, poll->result, ret_exit);
	if (r > 0)
		let_run(poll);
	return r;
}

/* Has the gate ring as soon as the function is done, and sleeps until then. */
static int sleep_until_done(struct vm *vm, struct vm_exit *ret_exit)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	struct poll *poll = vm->poll;
	int r;

	atomic_store(&poll->asleep, 1);
	control_set_looks(&vm->control, 0);
	while ((r = poll_check(vm, ret_exit)) > 0) {
		futex_wait(&poll->asleep, 1, &nap);
		if (!atomic_load(&poll->asleep)) {
			/* woken, though the invocation may not have ended */
			atomic_store(&poll->asleep, 1);
			if (!control_is_done(&vm->control))
				control_set_looks(&vm->control, 0);
		}
	}
	atomic_store(&poll->asleep, 0);
	control_set_looks(&vm->control, poll->looks);
	return r;
}

static uint64_t ticks_of(const struct vm *vm, uint64_t ns)
{
	return ns / NS_PER_US * (vm->counter_hz / (NS_PER_S / NS_PER_US));
}

HOT int poll_wait(struct vm *vm, struct vm_exit *ret_exit)
{
	uint64_t start = 0;

	for (unsigned i = 1;; i++) {
		int r = poll_check(vm, ret_exit);

		if (r <= 0)
			return r;
		if (i % CHECKS_PER_CLOCK == 0) {
			const uint64_t now = arch_counter_now();

			if (!start)
				start = now;
			else if (now - start >
				 ticks_of(vm, vm->poll->rule.spin_ns))
				return sleep_until_done(vm, ret_exit);
		}
		arch_relax();
	}
}

HOT bool poll_is_refused(const struct vm *vm)
{
	return vm->poll && vm->poll->is_refused;
}

/* For vm_free(): stops the vcpu's thread, if there is one. */
static void free_poll(struct vm *vm)
{
	struct poll *poll = vm->poll;

	if (poll->has_thread) {
		poll_stop(vm);
		atomic_store(&poll->turn, TURN_QUIT);
		futex_wake(&poll->turn);
		pthread_join(poll->thread, NULL);
	}
	free(poll);
	vm->poll = NULL;
}

int poll_attach(struct vm *vm, const struct poll_rule *rule)
{
	struct poll *poll = calloc(1, sizeof(*poll));

	if (!poll)
		return -ENOMEM;
	poll->rule = *rule;
	poll->is_wanted = true;
	poll->looks_per_ms = LOOKS_PER_MS_FIRST;
	vm->poll = poll;
	vm->free_poll = free_poll;
	return 0;
}
