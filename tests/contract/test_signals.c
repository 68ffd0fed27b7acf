/*
 * test_signals.c - nothing leaks when many signals arrive at the thread that invokes.
 * Some of KVM's calls end early when a signal is pending.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/invoke_state.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/steps.h"
#include "vm/vm.h"

#ifdef TEST_SANITIZED
#define ROUNDS 300
#else
#define ROUNDS 2000
#endif

/* <linux/kvm.h> is vm/'s */
#define KVM_CREATE_VM _IO(0xae, 0x01)
#define STOPS 3

/* Between two signals, at most. */
#define PAUSE_NS (150 * (long)NS_PER_US)

#define ALL_PAGES 1000000

static atomic_uint signals;
static atomic_bool stopping;
static pthread_t bomber;

static void on_signal(int number)
{
	(void)number;
	atomic_fetch_add(&signals, 1);
}

static void *bombard(void *target)
{
	unsigned seed = 1;

	while (!atomic_load(&stopping)) {
		const struct timespec pause = {
			.tv_nsec = rand_r(&seed) % PAUSE_NS,
		};

		nanosleep(&pause, NULL);
		pthread_kill(*(pthread_t *)target, SIGUSR1);
	}
	return NULL;
}

static void start_bombarding(void)
{
	static pthread_t target;
	struct sigaction action = { .sa_handler = on_signal };

	target = pthread_self();
	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(pthread_create(&bomber, NULL, bombard, &target), 0);
}

/* At the end each round must have met a signal, roughly. */
static void stop_bombarding(void)
{
	atomic_store(&stopping, true);
	pthread_join(bomber, NULL);
	ck_assert_uint_gt(atomic_load(&signals), ROUNDS / 10);
}

static struct thaw *open_small(int loop)
{
	return open_steps(&(struct steps_options){
		.backend = backends[loop], .memory = "2MiB", .verify = true });
}

/* As restores relearn by themselves. */
START_TEST(signals_while_pages_cool_and_are_learned_anew_leak_nothing)
{
	struct thaw *thaw = open_small(_i);
	unsigned learned = 0;

	start_bombarding();
	for (uint32_t i = 0; i < ROUNDS; i++) {
		bool heavy = i % 100 < 2;
		struct thaw_reply reply = change_pages(thaw,
						       heavy ? i : i / 100,
						       heavy ? ALL_PAGES : 3);

		learned += reply.dirty_pages > 0;
	}
	stop_bombarding();
	ck_assert_uint_gt(learned, 2);
	thaw_close(thaw);
}
END_TEST

/* And much more often. */
START_TEST(signals_while_everything_is_protected_leak_nothing)
{
	struct thaw *thaw = open_small(_i);
	static struct steps steps;
	struct thaw_reply reply;

	start_bombarding();
	for (uint32_t i = 0; i < ROUNDS / 3; i++) {
		struct dirty *dirty;

		steps.request.count = 0;
		steps_add(&steps, STEP_CHECK, 0, ALL_PAGES);
		steps_add(&steps, STEP_CHANGE, i, 1 + i % 100);
		steps_invoke(thaw, &steps, 0, &reply);
		ck_assert_msg(reply.result == THAW_OK, "%s", outcome(&reply));
		dirty = vm_dirty(invoke_state(&reply)->vm);
		thaw_reply_release(&reply);
		ck_assert_int_eq(dirty_forget(dirty), 0);
	}
	stop_bombarding();
	thaw_close(thaw);
}
END_TEST

/* What the watchdog sends: a vcpu's own thread lets nothing else through. */
#define KICK (SIGRTMIN + 3)

static void kick_others(pid_t self)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *entry;

	ck_assert_ptr_nonnull(tasks);
	while ((entry = readdir(tasks))) {
		const pid_t task = (pid_t)atoi(entry->d_name);

		if (task && task != self)
			syscall(SYS_tgkill, getpid(), task, KICK);
	}
	closedir(tasks);
}

static void *kick_all(void *unused)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS / 3 };

	while (!atomic_load(&stopping)) {
		kick_others((pid_t)syscall(SYS_gettid));
		nanosleep(&pause, NULL);
	}
	return unused;
}

/* A signal may come just when the guest has called: then it is answered all the same. */
START_TEST(signals_lose_no_call_to_the_host)
{
	struct thaw *thaw = open_calls_host(backends[_i]);

	/* the watchdog has its handler from now on */
	ck_assert_str_eq(call_once(thaw, "calls_host", ""), "500");
	ck_assert_int_eq(pthread_create(&bomber, NULL, kick_all, NULL), 0);
	for (int i = 0; i < 8; i++)
		ck_assert_str_eq(call_once(thaw, "calls_host", ""), "500");
	atomic_store(&stopping, true);
	pthread_join(bomber, NULL);
	thaw_close(thaw);
}
END_TEST

/* How often KVM_CREATE_VM is stopped from now on, and was called. */
static atomic_uint stops, calls;

int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument);

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
	if (request != KVM_CREATE_VM)
		return __real_ioctl(fd, request, argument);
	atomic_fetch_add(&calls, 1);
	if (atomic_load(&stops) && atomic_fetch_sub(&stops, 1)) {
		errno = EINTR;
		return -1;
	}
	return __real_ioctl(fd, request, argument);
}

/* A stop (SIGSTOP, the freezer of a cgroup) ends the call as a signal does. */
START_TEST(a_vm_is_made_though_the_process_is_stopped)
{
	struct thaw *thaw;

	atomic_store(&calls, 0);
	atomic_store(&stops, STOPS);
	thaw = open_small(0);
	(void)change_pages(thaw, 0, 3);
	ck_assert_uint_gt(atomic_load(&calls), STOPS);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signals");
	TCase *group = tcase_create("signals");
	int n = backend_count();

	tcase_set_timeout(group, 240);
	tcase_add_loop_test(
		group,
		signals_while_pages_cool_and_are_learned_anew_leak_nothing, 0,
		n);
	tcase_add_loop_test(group,
			    signals_while_everything_is_protected_leak_nothing,
			    0, n);
	tcase_add_loop_test(group, signals_lose_no_call_to_the_host, 0, n);
	tcase_add_test(group, a_vm_is_made_though_the_process_is_stopped);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
