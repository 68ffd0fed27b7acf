/*
 * watchdog.c - the deadline thread. See watchdog.h.
 *
 * The deadline word of a watch is WATCH_IDLE while its vcpu does not run; otherwise
 * it is the deadline. When that has passed, the watchdog sets the word to STRIKING,
 * kicks, and sets it to STRUCK. The owner sets STRUCK back to IDLE. Whoever changes
 * the word by compare-and-swap owns what follows.
 *
 * Arming races with the watchdog's going to sleep, as a waker does with a sleeper.
 * The owner stores its deadline and then reads wake_ns; the watchdog stores wake_ns
 * and then reads the deadlines. All four accesses are sequentially consistent, so
 * at least one of the two sees what the other stored. The owner's store is an
 * exchange, since QEMU, as an arm64 on an x86_64 host, lets a load pass a store. For
 * x86_64 it is the same instruction.
 */
#include "vm/watchdog.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hot.h"
#include "base/thread.h"

#define WATCH_IDLE UINT64_C(0)
#define WATCH_STRIKING UINT64_C(1)
#define WATCH_STRUCK UINT64_C(2)

/* How often the watchdog looks around while vcpus run. */
#define LOOK_NS (5 * NS_PER_MS)
/* Once no vcpu has run for this long, it sleeps until it is woken. */
#define LINGER_NS (1 * NS_PER_S)

static struct {
	pthread_mutex_t lock; /* the list */
	struct watch *first;
	bool running;
	_Atomic uint64_t wake_ns; /* when the watchdog looks next */
	_Atomic uint32_t wakes;	  /* futex */
	/* whether any was, since the last look */
	_Atomic bool was_armed;
	_Atomic bool was_armed_soft;
} dog = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local bool signal_unblocked;

static int kick_signal(void)
{
	return SIGRTMIN + 3;
}

static void on_kick(int number)
{
	(void)number;
}

void watch_kick(pthread_t thread)
{
	pthread_kill(thread, kick_signal());
}

static void strike(struct watch *watch, uint64_t deadline)
{
	if (!atomic_compare_exchange_strong(&watch->deadline_ns, &deadline,
					    WATCH_STRIKING))
		return; /* the run has just ended */
	__atomic_store_n(&watch->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	watch_kick(watch->thread);
	atomic_store(&watch->deadline_ns, WATCH_STRUCK);
}

/* Strikes what is due. Returns the next deadline; *@ret_busy: whether any runs. */
static uint64_t look_around(uint64_t now, bool *ret_busy)
{
	uint64_t next = UINT64_MAX;

	*ret_busy = false;
	pthread_mutex_lock(&dog.lock);
	for (struct watch *w = dog.first; w; w = w->next) {
		uint64_t deadline = atomic_load(&w->deadline_ns);

		if (deadline <= WATCH_STRUCK)
			continue;
		*ret_busy = true;
		if (deadline <= now)
			strike(w, deadline);
		else if (deadline < next)
			next = deadline;
	}
	pthread_mutex_unlock(&dog.lock);
	return next;
}

static void watch_sleep_until(uint64_t wake_ns, uint32_t wakes)
{
	struct timespec until = {
		.tv_sec = (time_t)(wake_ns / NS_PER_S),
		.tv_nsec = (long)(wake_ns % NS_PER_S),
	};

	/* FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time */
	syscall(SYS_futex, &dog.wakes, FUTEX_WAIT_BITSET_PRIVATE, wakes,
		wake_ns == UINT64_MAX ? NULL : &until, NULL,
		FUTEX_BITSET_MATCH_ANY);
}

/*
 * How long it is until the next look. While there are slices it is short, but not so
 * short that looking at very many vcpus, which took @took_ns, takes all the time.
 */
static uint64_t look_interval(uint64_t now, uint64_t took_ns)
{
	static uint64_t soft_until;

	if (atomic_exchange(&dog.was_armed_soft, false))
		soft_until = now + LINGER_NS;
	if (now >= soft_until)
		return LOOK_NS;
	return took_ns > WATCH_SLACK_NS / 20 ? 20 * took_ns : WATCH_SLACK_NS;
}

static void *watch_over(void *unused)
{
	uint64_t busy_until = 0, took_ns = 0;

	(void)unused;
	thread_be_prompt("thaw-watchdog");
	for (;;) {
		uint32_t wakes = atomic_load(&dog.wakes);
		uint64_t now = clock_now_ns();
		uint64_t look = look_interval(now, took_ns);
		uint64_t wake, next;
		bool busy;

		/* most runs are short, and are over by the time of a look */
		if (atomic_exchange(&dog.was_armed, false))
			busy_until = now + LINGER_NS;
		wake = now < busy_until ? now + look : UINT64_MAX;
		atomic_store(&dog.wake_ns, wake);
		next = look_around(now, &busy);
		took_ns = clock_now_ns() - now;
		if (busy)
			busy_until = now + LINGER_NS;
		if (busy && wake == UINT64_MAX)
			continue; /* store the time of the next look first */
		watch_sleep_until(next < wake ? next : wake, wakes);
	}
	return NULL;
}

/* A child of fork() has neither the watchdog's thread nor any vcpu. */
static void on_fork_in_child(void)
{
	pthread_mutex_init(&dog.lock, NULL);
	dog.first = NULL;
	dog.running = false;
}

static int watch_start_thread(struct error *err)
{
	struct sigaction action = { .sa_handler = on_kick,
				    .sa_flags = SA_RESTART };
	sigset_t all, old;
	pthread_t thread;
	int r;

	/* it begins with a look, so a vcpu that runs soon need not wake it */
	atomic_store(&dog.wake_ns, clock_now_ns() + LOOK_NS);
	atomic_store(&dog.was_armed, true);
	if (sigaction(kick_signal(), &action, NULL))
		return error_set(err, -errno, "sigaction for signal %d: %s",
				 kick_signal(), strerror(errno));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&thread, NULL, watch_over, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return error_set(err, -r, "starting the watchdog thread: %s",
				 strerror(r));
	pthread_detach(thread);
	pthread_atfork(NULL, NULL, on_fork_in_child);
	dog.running = true;
	return 0;
}

int watch_start(struct error *err)
{
	int r = 0;

	pthread_mutex_lock(&dog.lock);
	if (!dog.running)
		r = watch_start_thread(err);
	pthread_mutex_unlock(&dog.lock);
	return r;
}

int watch_init(struct watch *watch, struct kvm_run *run, struct error *err)
{
	int r = watch_start(err);

	if (r)
		return r;
	watch->run = run;
	watch->previous = NULL;
	atomic_store(&watch->deadline_ns, WATCH_IDLE);
	pthread_mutex_lock(&dog.lock);
	watch->next = dog.first;
	if (dog.first)
		dog.first->previous = watch;
	dog.first = watch;
	pthread_mutex_unlock(&dog.lock);
	return 0;
}

void watch_done(struct watch *watch)
{
	pthread_mutex_lock(&dog.lock);
	if (watch->next)
		watch->next->previous = watch->previous;
	if (watch->previous)
		watch->previous->next = watch->next;
	else
		dog.first = watch->next;
	pthread_mutex_unlock(&dog.lock);
}

/* A thread that blocks the signal cannot be kicked. Called once by each thread. */
static void unblock_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, kick_signal());
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	signal_unblocked = true;
}

/*
 * Wakes the watchdog if it would sleep too long. Only who lowers wake_ns wakes it:
 * so others need not do it again while the watchdog waits for a CPU.
 */
HOT static void wake_by(uint64_t deadline_ns)
{
	uint64_t wake_ns = atomic_load(&dog.wake_ns);

	while (wake_ns > deadline_ns)
		if (atomic_compare_exchange_weak(&dog.wake_ns, &wake_ns,
						 deadline_ns)) {
			atomic_fetch_add(&dog.wakes, 1);
			syscall(SYS_futex, &dog.wakes, FUTEX_WAKE_PRIVATE, 1,
				NULL, NULL, 0);
			return;
		}
}

HOT void watch_arm(struct watch *watch, uint64_t deadline_ns)
{
	if (!signal_unblocked)
		unblock_signal();
	watch_arm_thread(watch, pthread_self(), deadline_ns);
}

void watch_signals(sigset_t *ret_blocked)
{
	sigfillset(ret_blocked);
	sigdelset(ret_blocked, kick_signal());
}

/* Sets a flag for the watchdog. It nearly always is set already, and then only read. */
static void set_flag(_Atomic bool *flag)
{
	if (!atomic_load_explicit(flag, memory_order_relaxed))
		atomic_store_explicit(flag, true, memory_order_relaxed);
}

HOT void watch_arm_soft(struct watch *watch, uint64_t at_ns)
{
	if (!signal_unblocked)
		unblock_signal();
	watch->thread = pthread_self();
	set_flag(&dog.was_armed);
	set_flag(&dog.was_armed_soft);
	atomic_exchange(&watch->deadline_ns, at_ns);
	wake_by(at_ns + WATCH_SLACK_NS);
}

HOT void watch_arm_thread(struct watch *watch, pthread_t thread,
			  uint64_t deadline_ns)
{
	watch->thread = thread;
	if (deadline_ns <= WATCH_STRUCK)
		deadline_ns = WATCH_STRUCK + 1;
	set_flag(&dog.was_armed);
	atomic_exchange(&watch->deadline_ns, deadline_ns);
	wake_by(deadline_ns);
}

HOT bool watch_expired(const struct watch *watch)
{
	uint64_t deadline = atomic_load(&watch->deadline_ns);

	return deadline == WATCH_STRIKING || deadline == WATCH_STRUCK;
}

HOT bool watch_disarm(struct watch *watch)
{
	uint64_t deadline = atomic_load(&watch->deadline_ns);

	while (deadline > WATCH_STRUCK)
		if (atomic_compare_exchange_weak(&watch->deadline_ns, &deadline,
						 WATCH_IDLE))
			return false;
	while (atomic_load(&watch->deadline_ns) == WATCH_STRIKING)
		sched_yield();
	__atomic_store_n(&watch->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	atomic_store(&watch->deadline_ns, WATCH_IDLE);
	return true;
}
