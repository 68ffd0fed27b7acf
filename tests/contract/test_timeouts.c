/*
 * test_timeouts.c - a deadline always stops the invocation that it belongs to, and
 * never another one.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "tests/contract/support/guests.h"

#define THREADS 4
#define ROUNDS 500
#define SPINNERS 8

START_TEST(a_deadline_of_a_millisecond_is_never_lost)
{
	struct thaw *thaw = open_guest(backends[_i], "hostile", "");
	struct thaw_reply reply;

	for (int i = 0; i < 300; i++) {
		call(thaw, "hostile", "spin", NS_PER_MS, &reply);
		ck_assert_int_eq(reply.result, THAW_TIMEOUT);
		thaw_reply_release(&reply);
	}
	ck_assert_str_eq(call_once(thaw, "hostile", "good"), "pristine");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_deadline_that_has_passed_stops_at_once)
{
	struct thaw *thaw = open_guest(backends[_i], "hostile", "");
	struct thaw_reply reply;

	for (int i = 0; i < 300; i++) {
		call(thaw, "hostile", "spin", 1, &reply);
		ck_assert_int_eq(reply.result, THAW_TIMEOUT);
		thaw_reply_release(&reply);
		if (i % 10 == 0)
			ck_assert_str_eq(call_once(thaw, "hostile", "good"),
					 "pristine");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(the_lesser_of_two_timeouts_counts)
{
	struct thaw *thaw =
		open_guest("auto", "hostile", "\"timeout\":\"30ms\"");
	struct thaw_reply reply;

	call(thaw, "hostile", "spin", 3600 * NS_PER_S, &reply);
	ck_assert_str_eq(outcome(&reply),
			 "Sandbox.Timedout: not done within its timeout of "
			 "30.000 ms");
	thaw_reply_release(&reply);
	call(thaw, "hostile", "spin", 1500 * NS_PER_US, &reply);
	ck_assert_str_eq(outcome(&reply),
			 "Sandbox.Timedout: not done within its timeout of "
			 "1.500 ms");
	thaw_reply_release(&reply);
	thaw_close(thaw);
}
END_TEST

static atomic_uint wrong;

static void note_wrong(const char *what, const struct thaw_reply *reply)
{
	atomic_fetch_add(&wrong, 1);
	fprintf(stderr, "%s: %s\n", what, outcome(reply));
}

/* Invokes `work` for @us, which may take until the deadline, or not. */
static void work(struct thaw *thaw, unsigned us, uint64_t timeout_ns)
{
	const struct thaw_invoke_request request = { .timeout_ns = timeout_ns };
	struct thaw_invoke_request sent = request;
	struct thaw_error error;
	struct thaw_reply reply;
	char text[32];

	sent.size = (size_t)snprintf(text, sizeof(text), "%u", us);
	sent.data = text;
	if (thaw_invoke(thaw, "clones", &sent, &error, &reply)) {
		atomic_fetch_add(&wrong, 1);
		fprintf(stderr, "%s\n", error.message);
		return;
	}
	if (reply.result == THAW_OK ?
		    strcmp(outcome(&reply), text) :
		    reply.result != THAW_TIMEOUT || !timeout_ns)
		note_wrong(text, &reply);
	thaw_reply_release(&reply);
}

static void *work_close_to_the_deadline(void *thaw)
{
	unsigned seed = (unsigned)clock_now_ns();

	for (int i = 0; i < ROUNDS / 2; i++) {
		work(thaw, 500 + (unsigned)rand_r(&seed) % 1000, NS_PER_MS);
		work(thaw, 0, 0);
	}
	return NULL;
}

static void run_threads(int count, void *(*run)(void *), void *argument)
{
	pthread_t threads[16];

	for (int i = 0; i < count; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, run,
						argument),
				 0);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}

START_TEST(a_deadline_never_hits_the_next_invocation)
{
	struct thaw *thaw = open_guest(backends[_i], "clones",
				       "\"entry\":\"work\","
				       "\"concurrency\":{\"max\":4}");

	run_threads(THREADS, work_close_to_the_deadline, thaw);
	thaw_close(thaw);
}
END_TEST

static void *spin_for_some_time(void *thaw)
{
	static atomic_uint number;
	uint64_t timeout_ns =
		(1 + atomic_fetch_add(&number, 1) % SPINNERS) * 10 * NS_PER_MS;
	const struct thaw_invoke_request request = { .data = "spin",
						     .size = 4,
						     .timeout_ns = timeout_ns };
	struct thaw_reply reply;

	for (int i = 0; i < 3; i++) {
		if (thaw_invoke(thaw, "hostile", &request, NULL, &reply)) {
			atomic_fetch_add(&wrong, 1);
			return NULL;
		}
		if (reply.result != THAW_TIMEOUT || reply.run_ns < timeout_ns)
			note_wrong("spin", &reply);
		thaw_reply_release(&reply);
	}
	return NULL;
}

START_TEST(deadlines_of_several_vms_are_kept_at_once)
{
	struct thaw *thaw = open_guest(backends[_i], "hostile",
				       "\"concurrency\":{\"max\":8}");

	run_threads(SPINNERS, spin_for_some_time, thaw);
	thaw_close(thaw);
}
END_TEST

static atomic_uint alarms;

static void on_alarm(int number)
{
	(void)number;
	atomic_fetch_add(&alarms, 1);
}

START_TEST(other_signals_disturb_nothing)
{
	const struct itimerval often = { .it_interval.tv_usec = 1000,
					 .it_value.tv_usec = 1000 };
	const struct itimerval never = { 0 };
	struct sigaction action = { .sa_handler = on_alarm,
				    .sa_flags = SA_RESTART };
	struct thaw *thaw =
		open_guest(backends[_i], "clones", "\"entry\":\"work\"");
	struct thaw_reply reply;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 5; i++) {
		ck_assert_str_eq(call_once(thaw, "clones", "20000"), "20000");
		call(thaw, "clones", "9000000", 20 * NS_PER_MS, &reply);
		ck_assert_int_eq(reply.result, THAW_TIMEOUT);
		thaw_reply_release(&reply);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	ck_assert_uint_gt(atomic_load(&alarms), 10);
	thaw_close(thaw);
}
END_TEST

/* A thread of a program that blocks every signal is stopped all the same. */
START_TEST(a_thread_that_blocks_signals_is_stopped)
{
	struct thaw *thaw = open_guest(backends[_i], "hostile", "");
	struct thaw_reply reply;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	call(thaw, "hostile", "spin", 20 * NS_PER_MS, &reply);
	ck_assert_int_eq(reply.result, THAW_TIMEOUT);
	thaw_reply_release(&reply);
	thaw_close(thaw);
}
END_TEST

/* A sleep leaves the guest, lasts as long as it should, and no run is lost. */
START_TEST(a_function_that_sleeps_wakes_up_in_time)
{
	struct thaw *thaw =
		open_guest(backends[_i], "edges", "\"entry\":\"sleep_ms\"");
	struct thaw_reply reply;

	for (int i = 0; i < 20; i++) {
		call(thaw, "edges", "20", 0, &reply);
		ck_assert_int_eq(reply.result, THAW_OK);
		ck_assert_uint_ge(reply.run_ns, 20 * NS_PER_MS);
		ck_assert_uint_ge(reply.exits, 1);
		thaw_reply_release(&reply);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_function_that_sleeps_too_long_is_stopped)
{
	struct thaw *thaw = open_guest(backends[_i], "edges",
				       "\"entry\":\"sleep_unchecked\"");
	struct thaw_reply reply;

	for (int i = 0; i < 5; i++) {
		call(thaw, "edges", "", 30 * NS_PER_MS, &reply);
		ck_assert_int_eq(reply.result, THAW_TIMEOUT);
		ck_assert_uint_ge(reply.run_ns, 30 * NS_PER_MS);
		thaw_reply_release(&reply);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_function_that_sleeps_for_ages_is_stopped)
{
	struct thaw *thaw =
		open_guest("auto", "edges", "\"entry\":\"sleep_for_ages\"");
	struct thaw_reply reply;

	call(thaw, "edges", "", 30 * NS_PER_MS, &reply);
	ck_assert_int_eq(reply.result, THAW_TIMEOUT);
	thaw_reply_release(&reply);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timeouts");
	TCase *group = tcase_create("timeouts");
	int n = backend_count();

	tcase_set_timeout(group, 120);
	tcase_add_loop_test(group, a_deadline_of_a_millisecond_is_never_lost, 0,
			    n);
	tcase_add_loop_test(group, a_deadline_that_has_passed_stops_at_once, 0,
			    n);
	tcase_add_test(group, the_lesser_of_two_timeouts_counts);
	tcase_add_loop_test(group, a_deadline_never_hits_the_next_invocation, 0,
			    n);
	tcase_add_loop_test(group, deadlines_of_several_vms_are_kept_at_once, 0,
			    n);
	tcase_add_loop_test(group, other_signals_disturb_nothing, 0, n);
	tcase_add_loop_test(group, a_thread_that_blocks_signals_is_stopped, 0,
			    n);
	tcase_add_loop_test(group, a_function_that_sleeps_wakes_up_in_time, 0,
			    n);
	tcase_add_loop_test(group, a_function_that_sleeps_too_long_is_stopped,
			    0, n);
	tcase_add_test(group, a_function_that_sleeps_for_ages_is_stopped);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
