/*
 * poll.c - polled dispatch: the vcpu's thread, and handing invocations over to
 * it. See poll.h. From here go to snapshot/restore.c.
 *
 * Who may touch the vcpu says the word `turn`. The owner's thread may while it
 * is not RUNNING, the vcpu's thread while it is. The owner makes it RUNNING; the
 * vcpu's thread, when KVM_RUN has returned, leaves what it returned in `result`
 * and `exit` and makes it OUT. It decides nothing: not even whether a signal was
 * the watchdog's.
 *
 * Between the owner, who writes GO and then reads `turn`, and the vcpu's thread,
 * which writes OUT and then reads GO, there is the race of a sleeper and a
 * waker: all four are sequentially consistent, so one of them sees the other.
 * The store of GO is an exchange; see watchdog.c.
 *
 * Orderings with the guest: what the owner has written (request, restored pages)
 * is before its store of GO, a release, and pairs with the guest's load of GO,
 * an acquire. What the function has written, and what KVM has put into the dirty
 * ring for it on the same CPU, is before the gate's store of DONE, a release,
 * and pairs with the acquire in is_done().
 */
#include "vm/poll.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "guest/abi/thaw_abi.h"
#include "vm/arch.h"
#include "vm/poll_cores.h"
#include "vm/vm_internal.h"

enum turn {
	TURN_PARKED, /* the thread sleeps, or there is none; no core */
	TURN_OUT,    /* not in KVM_RUN; the core is kept */
	TURN_RUNNING,
	TURN_QUIT,
};

/* The gate counts in 32 bits with a sign. */
#define LOOKS_MAX INT32_MAX
/*
 * What is taken for granted until the guest has been seen to ring: fast, lest the
 * first waits be too short to tell.
 */
#define LOOKS_PER_MS_FIRST 64000
#define LOOKS_PER_MS_MIN 250
#define LOOKS_PER_MS_MAX 1000000
/* More than leaving the guest and being scheduled take. */
#define LOOKS_SLACK_NS (300 * NS_PER_US)

/* Of the vcpu's thread, which does next to nothing; a sanitizer takes some. */
#define STACK_SIZE (256u << 10)

/* The clock is read once in so many looks, so as not to see DONE later. */
#define CHECKS_PER_CLOCK 16

/* How long after its wait a vcpu at the gate is stopped all the same. */
#define REST_GRACE_NS (10 * NS_PER_MS)

/*
 * One sleep; woken earlier if all goes well. It does not if the gate has looked
 * at its number of looks just before that was lowered: on x86_64, where its load
 * may pass its store of DONE.
 */
#define NAP_NS (5 * NS_PER_MS)

/* The weight of the last interval between invocations in their mean, */
#define INTERVAL_SHIFT 3
/* in which longer ones count as this. */
#define INTERVAL_MAX_NS (4 * POLL_WAIT_MAX_NS)
/* The guest waits for so many mean intervals. */
#define WAIT_INTERVALS 3

static void futex_wait(_Atomic uint32_t *word, uint32_t value,
		       const struct timespec *timeout)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static bool is_done(const struct vm *vm)
{
	return __atomic_load_n(&vm->control->done, __ATOMIC_SEQ_CST) ==
	       vm->poll.go;
}

bool poll_has_ended(struct vm *vm)
{
	if (!vm->control || !is_done(vm))
		return false;
	vm->poll.at_gate = true;
	return true;
}

void poll_reset(struct vm *vm)
{
	vm->poll.is_new = true;
	vm->poll.at_gate = false;
	if (!vm->control)
		return;
	__atomic_store_n(&vm->control->done, vm->poll.go, __ATOMIC_SEQ_CST);
	__atomic_store_n(&vm->control->go, vm->poll.go, __ATOMIC_SEQ_CST);
}

bool poll_is_running(const struct vm *vm)
{
	return atomic_load(&vm->poll.turn) == TURN_RUNNING;
}

/* By an exchange, which what its caller looks at next cannot come before. */
static void set_looks(struct vm *vm, uint32_t looks)
{
	__atomic_exchange_n(&vm->control->spins, looks, __ATOMIC_SEQ_CST);
}

/*
 * Whether all that was handed over is done; for the vcpu's thread, which must
 * not look at what is its owner's.
 */
static bool has_no_work(const struct vm *vm)
{
	return __atomic_load_n(&vm->control->go, __ATOMIC_SEQ_CST) ==
	       __atomic_load_n(&vm->control->done, __ATOMIC_ACQUIRE);
}

/*
 * Leaves the vcpu to its owner; and the core, if there is nothing to do, whatever
 * has ended KVM_RUN: a signal may be somebody else's. If the guest's word for
 * that is not to be trusted, its owner's is.
 */
static void step_out(struct vm *vm)
{
	struct poll *poll = &vm->poll;
	const bool may_park =
		poll->result == -EINTR || poll->result == -ENOBUFS ||
		(!poll->result && poll->exit.kind == VM_EXIT_IDLE);
	uint32_t turn = TURN_OUT;

	poll->idle_at = arch_counter_now();
	atomic_store(&poll->turn, TURN_OUT);
	if (atomic_exchange(&poll->asleep, 0))
		futex_wake(&poll->asleep);
	/* unless there is a GO that the guest has not seen */
	if (may_park && (has_no_work(vm) || atomic_load(&poll->is_resting)) &&
	    atomic_compare_exchange_strong(&poll->turn, &turn, TURN_PARKED))
		poll_core_give();
}

/*
 * The guest has rung because its owner sleeps, not for want of work: it goes on
 * waiting.
 */
static bool goes_on(struct vm *vm)
{
	struct poll *poll = &vm->poll;

	if (poll->result || poll->exit.kind != VM_EXIT_IDLE ||
	    !has_no_work(vm) || !atomic_load(&poll->asleep))
		return false;
	set_looks(vm, atomic_load(&poll->looks));
	atomic_store(&poll->asleep, 0);
	futex_wake(&poll->asleep);
	return true;
}

static void *run_vcpu(void *argument)
{
	struct vm *vm = argument;
	struct poll *poll = &vm->poll;

	thread_be_ordinary("thaw-vcpu");
	for (;;) {
		uint32_t turn = atomic_load(&poll->turn);

		if (turn == TURN_QUIT)
			return NULL;
		if (turn != TURN_RUNNING) {
			futex_wait(&poll->turn, turn, NULL);
			continue;
		}
		poll->result = vm_run_once(vm, &poll->exit);
		if (!goes_on(vm))
			step_out(vm);
	}
}

/* On any CPU of the process, deaf to all signals but the watchdog's. */
static int create_thread(struct vm *vm)
{
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
	r = pthread_create(&vm->poll.thread, &attributes, run_vcpu, vm);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	vm->poll.has_thread = !r;
	return r;
}

void poll_rest(struct vm *vm, uint64_t now_ns)
{
	struct poll *poll = &vm->poll;
	uint32_t turn = TURN_OUT;

	if (!vm->control)
		return;
	if (atomic_compare_exchange_strong(&poll->turn, &turn, TURN_PARKED)) {
		poll_core_give();
		return;
	}
	/* a function that only says that it waits is not to keep its core */
	if (vm->gate == VM_GATE_USER && turn == TURN_RUNNING) {
		/* before the watchdog is armed, and so before it strikes */
		atomic_store_explicit(&poll->is_resting, true,
				      memory_order_release);
		watch_arm_thread(&vm->watch, poll->thread,
				 now_ns + 2 * poll->wait_ns + REST_GRACE_NS);
	}
}

/*
 * Brings the vcpu out of KVM_RUN, and not back into it: one kick will do, and
 * many would keep its thread from anything else.
 */
static void kick_out(struct vm *vm)
{
	if (poll_is_running(vm)) {
		__atomic_store_n(&vm->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		watch_kick(vm->poll.thread);
		while (poll_is_running(vm))
			sched_yield();
	}
	__atomic_store_n(&vm->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}

/* The rest is over: what watched it is not to strike an invocation. */
static void end_rest(struct vm *vm)
{
	if (!atomic_load_explicit(&vm->poll.is_resting, memory_order_relaxed))
		return;
	atomic_store_explicit(&vm->poll.is_resting, false,
			      memory_order_relaxed);
	if (watch_disarm(&vm->watch))
		kick_out(vm);
}

/* A vcpu that waits at the gate is kicked out of KVM_RUN. */
void poll_stop(struct vm *vm)
{
	if (!vm->control)
		return;
	end_rest(vm);
	kick_out(vm);
	poll_rest(vm, 0); /* it is not running */
}

/* Longer than UINT32_MAX ticks, a second or more, is as long as that. */
static uint64_t ns_since(const struct vm *vm, uint64_t from, uint64_t to)
{
	uint64_t ticks = to - from;

	if (ticks > UINT32_MAX)
		ticks = UINT32_MAX;
	return (ticks * vm->counter_mult) >> vm->counter_shift;
}

/*
 * The guest has waited, and rung: so it can be told whether its looks take longer
 * than was thought, or less. Leaving the guest and being scheduled are no looks.
 */
static void learn_looks(struct vm *vm)
{
	struct poll *poll = &vm->poll;
	uint64_t waited_ns = ns_since(vm, poll->ended_at, poll->idle_at);

	if (poll->idle_at <= poll->ended_at)
		return; /* its owner slept, and had it ring at once */
	if (waited_ns > 2 * poll->wait_ns + LOOKS_SLACK_NS &&
	    poll->looks_per_ms > LOOKS_PER_MS_MIN)
		poll->looks_per_ms /= 2;
	else if (waited_ns < poll->wait_ns &&
		 poll->looks_per_ms < LOOKS_PER_MS_MAX)
		poll->looks_per_ms *= 2;
}

/*
 * Takes note of how long it has been since the last invocation, and whether it
 * is worth while to wait for the next at the gate.
 */
static bool is_worth_while(struct vm *vm)
{
	struct poll *poll = &vm->poll;
	uint64_t interval_ns = ns_since(vm, poll->ended_at, arch_counter_now());

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
	vm->poll.may_be_late = true;
}

/* Who waits for the vcpu is not to wait for a thread that inherits patience. */
static bool may_create_thread(const struct vm *vm)
{
	return vm->poll.may_be_late || !thread_is_patient();
}

bool poll_claim(struct vm *vm)
{
	struct poll *poll = &vm->poll;

	if (vm->gate == VM_GATE_NONE)
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
	if (poll->at_gate && !poll->result && poll->exit.kind == VM_EXIT_IDLE)
		learn_looks(vm);
	if (!poll_core_take()) {
		poll->is_refused = true;
		return false;
	}
	if (!poll->has_thread &&
	    (!may_create_thread(vm) || create_thread(vm))) {
		poll_core_give();
		return false;
	}
	atomic_store(&poll->turn, TURN_OUT);
	return true;
}

static void let_run(struct vm *vm)
{
	uint32_t turn = TURN_OUT;

	if (!atomic_compare_exchange_strong(&vm->poll.turn, &turn,
					    TURN_RUNNING)) {
		if (turn == TURN_RUNNING)
			return;
		/*
		 * It has parked between poll_claim() and now. The core it gave
		 * back may be another's already: then there is one too many,
		 * for one wait.
		 */
		poll_core_force();
		atomic_store(&vm->poll.turn, TURN_RUNNING);
	}
	futex_wake(&vm->poll.turn);
}

void poll_begin(struct vm *vm, uint32_t looks)
{
	struct poll *poll = &vm->poll;

	if (!vm->control || !poll->is_new)
		return;
	poll->is_new = false;
	poll->at_gate = false;
	poll->go++;
	__atomic_store_n(&vm->control->spins, looks, __ATOMIC_RELAXED);
	/* releases what was written; and see above */
	__atomic_exchange_n(&vm->control->go, poll->go, __ATOMIC_SEQ_CST);
}

/* How long to wait for the next: longer than the last ones took to come. */
static void choose_looks(struct vm *vm)
{
	struct poll *poll = &vm->poll;
	uint64_t wait_ns = WAIT_INTERVALS * poll->interval_ns, looks;

	if (wait_ns < poll->rule.wait_min_ns)
		wait_ns = poll->rule.wait_min_ns;
	if (wait_ns > poll->rule.wait_max_ns)
		wait_ns = poll->rule.wait_max_ns;
	poll->wait_ns = wait_ns;
	looks = wait_ns / NS_PER_US * poll->looks_per_ms / 1000;
	poll->looks = (uint32_t)(looks < LOOKS_MAX ? looks : LOOKS_MAX);
}

void poll_start(struct vm *vm, uint64_t deadline_ns)
{
	watch_arm_thread(&vm->watch, vm->poll.thread, deadline_ns);
	if (vm->poll.is_new)
		choose_looks(vm);
	poll_begin(vm, vm->poll.looks);
	if (atomic_load(&vm->poll.turn) != TURN_RUNNING)
		let_run(vm);
}

/* The function is at the gate. */
static int end_at_gate(struct vm *vm, struct vm_exit *exit)
{
	*exit = (struct vm_exit){ .kind = VM_EXIT_DOORBELL,
				  .bell = THAW_BELL_DONE,
				  .polled = true };
	/*
	 * A kick that came too late brings the vcpu out of KVM_RUN, or has been
	 * swallowed on the way into it: it must not be taken for one of the
	 * next invocation.
	 */
	if (watch_disarm(&vm->watch))
		kick_out(vm);
	vm->poll.at_gate = true;
	poll_end(vm);
	return 0;
}

/* The vcpu has left KVM_RUN. */
static int end_outside(struct vm *vm, struct vm_exit *exit)
{
	const int r = vm->poll.result;

	*exit = vm->poll.exit;
	return vm_end_run(vm, r, exit);
}

int poll_check(struct vm *vm, struct vm_exit *ret_exit)
{
	struct poll *poll = &vm->poll;
	int r = 0;

	if (is_done(vm))
		return end_at_gate(vm, ret_exit);
	if (poll_is_running(vm))
		return 1;
	/* it may have come to the gate, and out of it, in between */
	if (is_done(vm))
		return end_at_gate(vm, ret_exit);
	if (poll->result == -EINTR ||
	    (!poll->result && poll->exit.kind == VM_EXIT_IDLE)) {
		if (watch_expired(&vm->watch)) {
			poll->result = 0;
			poll->exit.kind = VM_EXIT_DEADLINE;
			return end_outside(vm, ret_exit);
		}
	} else if (poll->result == -ENOBUFS) {
		r = dirty_drain(&vm->dirty);
	} else {
		return end_outside(vm, ret_exit);
	}
	if (r) {
		poll->result = r;
		return end_outside(vm, ret_exit);
	}
	let_run(vm);
	return 1;
}

/* Has the gate ring as soon as the function is done, and sleeps until then. */
static int sleep_until_done(struct vm *vm, struct vm_exit *ret_exit)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	struct poll *poll = &vm->poll;
	int r;

	atomic_store(&poll->asleep, 1);
	set_looks(vm, 0);
	while ((r = poll_check(vm, ret_exit)) > 0) {
		futex_wait(&poll->asleep, 1, &nap);
		if (!atomic_load(&poll->asleep)) {
			/* woken for something that is not the end of it */
			atomic_store(&poll->asleep, 1);
			if (!is_done(vm))
				set_looks(vm, 0);
		}
	}
	atomic_store(&poll->asleep, 0);
	set_looks(vm, poll->looks);
	return r;
}

static uint64_t ticks_of(const struct vm *vm, uint64_t ns)
{
	return ns / NS_PER_US * (vm->counter_hz / (NS_PER_S / NS_PER_US));
}

int poll_wait(struct vm *vm, struct vm_exit *ret_exit)
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
				 ticks_of(vm, vm->poll.rule.spin_ns))
				return sleep_until_done(vm, ret_exit);
		}
		arch_relax();
	}
}

void poll_end(struct vm *vm)
{
	vm->poll.ended_at = arch_counter_now();
}

void poll_set_rule(struct vm *vm, const struct poll_rule *rule)
{
	vm->poll.rule = *rule;
	vm->poll.is_wanted = true;
}

bool poll_distrust(struct vm *vm)
{
	if (vm->gate != VM_GATE_USER)
		return false;
	poll_stop(vm);
	return true;
}

bool poll_is_refused(const struct vm *vm)
{
	return vm->poll.is_refused;
}

int poll_init(struct vm *vm, struct error *err)
{
	const size_t size = (size_t)1 << vm->page_shift;
	struct kvm_userspace_memory_region slot = {
		.slot = 1,
		.guest_phys_addr = THAW_GPA_CONTROL,
		.memory_size = size,
	};
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return error_set(err, -errno, "mapping a control page: %s",
				 strerror(errno));
	vm->control = page;
	poll_set_rule(vm, &POLL_RULE_ALWAYS(POLL_WAIT_MAX_NS));
	vm->poll.looks_per_ms = LOOKS_PER_MS_FIRST;
	slot.userspace_addr = (uintptr_t)page;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot))
		return error_set(err, -errno,
				 "KVM_SET_USER_MEMORY_REGION for the control "
				 "page: %s",
				 strerror(errno));
	return 0;
}

static void stop_thread(struct vm *vm)
{
	struct poll *poll = &vm->poll;

	poll_stop(vm);
	atomic_store(&poll->turn, TURN_QUIT);
	futex_wake(&poll->turn);
	pthread_join(poll->thread, NULL);
}

void poll_done(struct vm *vm)
{
	if (vm->poll.has_thread)
		stop_thread(vm);
	if (vm->control)
		munmap(vm->control, (size_t)1 << vm->page_shift);
}
