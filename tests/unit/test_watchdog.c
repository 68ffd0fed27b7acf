/*
 * test_watchdog.c - deadlines, without a vcpu: what the watchdog does to a
 * kvm_run of our own and to the thread that armed it.
 */
#include "vm/watchdog.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "vm/vm_internal.h"

#define MANY 32

static struct kvm_run run;
static struct watch watch;

static void start(void)
{
	struct error err;

	memset(&run, 0, sizeof(run));
	ck_assert_msg(!watch_init(&watch, &run, &err), "%s", err.message);
}

static void stop(void)
{
	watch_done(&watch);
}

static bool is_kicked(const struct kvm_run *kicked)
{
	return __atomic_load_n(&kicked->immediate_exit, __ATOMIC_SEQ_CST);
}

/* Waits as KVM_RUN does: until a signal comes. */
static void wait_for_kick(const struct watch *waited)
{
	uint64_t give_up = clock_now_ns() + 10 * NS_PER_S;

	while (!watch_expired(waited) && clock_now_ns() < give_up)
		poll(NULL, 0, 1000);
}

START_TEST(a_deadline_strikes_after_it_has_passed)
{
	for (int i = 0; i < 20; i++) {
		uint64_t deadline = clock_now_ns() + 2 * NS_PER_MS;

		watch_arm(&watch, deadline);
		wait_for_kick(&watch);
		ck_assert_uint_ge(clock_now_ns(), deadline);
		ck_assert(watch_disarm(&watch));
		ck_assert(!is_kicked(&run));
		ck_assert(!watch_expired(&watch));
	}
}
END_TEST

START_TEST(a_signal_interrupts_what_the_thread_waits_in)
{
	uint64_t start_ns = clock_now_ns();

	watch_arm(&watch, start_ns + 20 * NS_PER_MS);
	ck_assert_int_eq(poll(NULL, 0, 20000), -1);
	ck_assert_int_eq(errno, EINTR);
	wait_for_kick(&watch);
	ck_assert(is_kicked(&run));
	ck_assert(watch_disarm(&watch));
}
END_TEST

START_TEST(a_deadline_disarmed_in_time_does_not_strike)
{
	for (int i = 0; i < 1000; i++) {
		watch_arm(&watch, clock_now_ns() + 60 * NS_PER_S);
		ck_assert(!watch_expired(&watch));
		ck_assert(!watch_disarm(&watch));
		ck_assert(!is_kicked(&run));
	}
}
END_TEST

START_TEST(no_deadline_never_strikes)
{
	watch_arm(&watch, UINT64_MAX);
	ck_assert_int_eq(poll(NULL, 0, 50), 0);
	ck_assert(!watch_expired(&watch));
	ck_assert(!watch_disarm(&watch));
}
END_TEST

/* Values that look like the watchdog's own marks are deadlines all the same. */
START_TEST(deadlines_long_past_strike)
{
	for (uint64_t deadline = 0; deadline < 5; deadline++) {
		watch_arm(&watch, deadline);
		wait_for_kick(&watch);
		ck_assert(watch_disarm(&watch));
		ck_assert(!is_kicked(&run));
	}
}
END_TEST

/* Whichever of the two is first, nothing is left for the next invocation. */
START_TEST(disarming_at_the_deadline_leaves_no_kick)
{
	unsigned struck = 0;

	for (int i = 0; i < 3000; i++) {
		uint64_t deadline = clock_now_ns() + 50 * NS_PER_US;

		watch_arm(&watch, deadline);
		while (clock_now_ns() < deadline + (unsigned)i % 100 * 1000)
			;
		struck += watch_disarm(&watch);
		ck_assert(!is_kicked(&run));
		ck_assert(!watch_expired(&watch));
	}
	ck_assert_uint_gt(struck, 0);
}
END_TEST

START_TEST(the_nearest_deadline_wakes_a_watchdog_that_sleeps_longer)
{
	struct kvm_run other_run = { 0 };
	struct watch other;

	ck_assert_int_eq(watch_init(&other, &other_run, NULL), 0);
	watch_arm(&other, clock_now_ns() + 600 * NS_PER_S);
	poll(NULL, 0, 20);
	watch_arm(&watch, clock_now_ns() + 5 * NS_PER_MS);
	wait_for_kick(&watch);
	ck_assert(watch_disarm(&watch));
	ck_assert(!watch_disarm(&other));
	ck_assert(!is_kicked(&other_run));
	watch_done(&other);
}
END_TEST

START_TEST(a_watchdog_that_has_gone_to_sleep_is_woken)
{
	/* it lingers for a second after the last deadline */
	watch_arm(&watch, clock_now_ns() + NS_PER_S);
	watch_disarm(&watch);
	poll(NULL, 0, 1500);
	watch_arm(&watch, clock_now_ns() + 5 * NS_PER_MS);
	wait_for_kick(&watch);
	ck_assert(watch_disarm(&watch));
}
END_TEST

static void *arm_and_wait(void *argument)
{
	struct watch *mine = argument;
	uintptr_t failed = 0;

	for (int i = 0; i < 20; i++) {
		watch_arm(mine, clock_now_ns() + 3 * NS_PER_MS);
		wait_for_kick(mine);
		failed += !watch_disarm(mine);
	}
	return (void *)failed;
}

START_TEST(every_thread_gets_its_own_kick)
{
	static struct kvm_run runs[MANY];
	static struct watch watches[MANY];
	pthread_t threads[MANY];
	void *failed;

	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(watch_init(&watches[i], &runs[i], NULL), 0);
		pthread_create(&threads[i], NULL, arm_and_wait, &watches[i]);
	}
	for (int i = 0; i < MANY; i++) {
		pthread_join(threads[i], &failed);
		ck_assert_ptr_null(failed);
		watch_done(&watches[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watchdog");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("watchdog");
	int failed;

	tcase_set_timeout(group, 60);
	tcase_add_checked_fixture(group, start, stop);
	tcase_add_test(group, a_deadline_strikes_after_it_has_passed);
	tcase_add_test(group, a_signal_interrupts_what_the_thread_waits_in);
	tcase_add_test(group, a_deadline_disarmed_in_time_does_not_strike);
	tcase_add_test(group, no_deadline_never_strikes);
	tcase_add_test(group, deadlines_long_past_strike);
	tcase_add_test(group, disarming_at_the_deadline_leaves_no_kick);
	tcase_add_test(group,
		       the_nearest_deadline_wakes_a_watchdog_that_sleeps_longer);
	tcase_add_test(group, a_watchdog_that_has_gone_to_sleep_is_woken);
	tcase_add_test(group, every_thread_gets_its_own_kick);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
