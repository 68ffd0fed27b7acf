/*
 * test_invocation.c - an invocation until it begins: whether it is admitted, when its
 * turn comes, how long it waits, and what happens if its client has gone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/invocation_fixture.h"

static void limit(unsigned function, uint32_t max, uint32_t queue)
{
	fixture_spec(function)->concurrency.max = max;
	fixture_spec(function)->concurrency.queue = queue;
}

/* ---- admission ---- */

START_TEST(a_function_admits_what_may_run_and_wait)
{
	struct call *call;

	set_up(1);
	limit(0, 2, 1);
	for (unsigned i = 0; i < 3; i++) {
		call = call_start(0, 0, "a", "e");
		ck_assert(!call->has_replied);
	}
	ck_assert_uint_eq(metrics_get(&metrics_of(0)->inflight), 3);
	call = call_start(0, 0, "b", "e");
	ck_assert(call->has_ended);
	ck_assert_int_eq(call->result, -EBUSY);
	ck_assert_ptr_nonnull(strstr(call->invocation.error.message,
				     "2 invocations run and 1 wait: raise "
				     "concurrency.max or concurrency.queue"));
	ck_assert_uint_eq(outcomes_of(0, METRICS_THROTTLED), 1);
	ck_assert_uint_eq(fixture.worker->queue.count, 3);
	ck_assert_uint_eq(fixture.worker->invocation_count, 3);
	fixture_turns(0);
	ck_assert_uint_eq(outcomes_of(0, METRICS_OK), 3);
	ck_assert(!call_start(0, 0, "c", "e")->has_replied);
	tear_down();
}
END_TEST

START_TEST(the_limit_counts_all_workers)
{
	set_up(2);
	limit(0, 1, 1);
	ck_assert(!call_start(0, 0, "a", "e")->has_replied);
	ck_assert(!call_start(1, 0, "b", "e")->has_replied);
	ck_assert_int_eq(call_start(1, 0, "c", "e")->result, -EBUSY);
	ck_assert_int_eq(call_start(0, 0, "d", "e")->result, -EBUSY);
	tear_down();
}
END_TEST

START_TEST(each_function_has_its_own_limit)
{
	set_up(1);
	limit(0, 1, 0);
	limit(1, 1, 0);
	ck_assert(!call_start(0, 0, "a", "e")->has_replied);
	ck_assert_int_eq(call_start(0, 0, "b", "e")->result, -EBUSY);
	ck_assert(!call_start(0, 1, "c", "e")->has_replied);
	tear_down();
}
END_TEST

static struct call *next;

static void start_next(struct call *call)
{
	(void)call;
	next = call_start(0, 0, "next", "e");
}

/* So a client that asks again as soon as it has its reply is admitted. */
START_TEST(there_is_room_again_before_the_reply)
{
	set_up(1);
	limit(0, 1, 0);
	call_start(0, 0, "a", "e")->on_reply = start_next;
	fixture_turns(0);
	ck_assert(!next->has_replied || !next->result);
	fixture_turns(0);
	/* the same if the run has ended on another thread */
	call_start(0, 0, "b", "##e");
	fixture_turns(0);
	ck_assert_int_eq(call_start(0, 0, "c", "e")->result, -EBUSY);
	ck_assert(fixture_run_work());
	ck_assert(!call_start(0, 0, "d", "e")->has_replied);
	tear_down();
}
END_TEST

START_TEST(an_inactive_function_admits_nothing)
{
	struct call *call;

	set_up(1);
	fixture.deployment->state = FUNCTION_PENDING;
	call = call_start(0, 0, "a", "e");
	ck_assert(call->has_ended);
	ck_assert_int_eq(call->result, -EINPROGRESS);
	fixture.deployment->failure = -ENOENT;
	fixture.deployment->state = FUNCTION_FAILED;
	ck_assert_int_eq(call_start(0, 0, "b", "e")->result, -ENOENT);
	ck_assert_uint_eq(fixture.deployment->admitted, 0);
	ck_assert_uint_eq(outcomes_of(0, METRICS_FAILED), 2);
	fixture.deployment->state = FUNCTION_ACTIVE;
	tear_down();
}
END_TEST

START_TEST(a_request_that_is_too_large_is_not_admitted)
{
	set_up(1);
	fake_engine.check_result = -E2BIG;
	ck_assert_int_eq(call_start(0, 0, "a", "e")->result, -E2BIG);
	ck_assert_uint_eq(fixture.deployment->admitted, 0);
	ck_assert_uint_eq(outcomes_of(0, METRICS_TOO_LARGE), 1);
	ck_assert(!fixture_turn(0));
	ck_assert_str_eq(fake_trace(), "refuse a@0");
	tear_down();
}
END_TEST

/* An Event invocation that is tried again has no outcome yet. */
START_TEST(a_retry_is_not_counted_as_throttled)
{
	struct call *call;

	set_up(1);
	limit(0, 1, 0);
	call_start(0, 0, "a", "e");
	call = call_prepare(0, 0, "b", "e");
	call->invocation.comes_again = true;
	call_start_prepared(call);
	ck_assert_int_eq(call->result, -EBUSY);
	ck_assert(invocation_is_put_off(&call->invocation));
	ck_assert_uint_eq(outcomes_of(0, METRICS_THROTTLED), 0);
	tear_down();
}
END_TEST

/* ---- turns ---- */

START_TEST(a_functions_invocations_run_in_order)
{
	set_up(1);
	call_start(0, 0, "a", "e");
	call_start(0, 0, "b", "e");
	call_start(0, 0, "c", "e");
	ck_assert_str_eq(fake_trace(), "");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0, "
			 "begin b@0 1000us, reply b@0, restore b@0, "
			 "begin c@0 1000us, reply c@0, restore c@0");
	tear_down();
}
END_TEST

START_TEST(the_function_that_used_less_time_is_next)
{
	set_up(1);
	call_start(0, 0, "a", "#e");
	call_start(0, 0, "b", "e");
	call_start(0, 1, "c", "e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, more a@0 500us, "
			 "reply a@0, restore a@0, "
			 "begin c@0 1000us, reply c@0, restore c@0, "
			 "begin b@0 1000us, reply b@0, restore b@0");
	/* a was the first to have its turn, and b the third */
	ck_assert_uint_eq(metrics_get(&metrics_of(0)->turns), 1 + 3);
	tear_down();
}
END_TEST

START_TEST(a_worker_looks_at_its_connections_after_sixteen)
{
	set_up(1);
	for (unsigned i = 0; i < 20; i++)
		call_start(0, 0, "", "e");
	ck_assert(fixture_turn(0));
	/* fewer, if they have taken long */
	ck_assert_uint_ge(outcomes_of(0, METRICS_OK), 1);
	ck_assert_uint_le(outcomes_of(0, METRICS_OK), 16);
	fixture_turns(0);
	ck_assert_uint_eq(outcomes_of(0, METRICS_OK), 20);
	tear_down();
}
END_TEST

/* After 200 us. Each of these runs takes more. */
START_TEST(a_worker_looks_at_its_connections_after_a_while)
{
	set_up(1);
	for (unsigned i = 0; i < 8; i++)
		call_start(0, 0, "", "#e");
	ck_assert(fixture_turn(0));
	ck_assert_uint_eq(outcomes_of(0, METRICS_OK), 1);
	tear_down();
}
END_TEST

START_TEST(an_invocation_that_waited_for_a_vm_runs_first)
{
	struct vm *one, *other;

	set_up(1);
	fixture_set_vms(0, 2, 0);
	one = fake_pool_hold(pool_of(0));
	other = fake_pool_hold(pool_of(0));
	call_start(0, 0, "a", "e");
	ck_assert(!fixture_turn(0));
	ck_assert_uint_eq(waiting_of(0), 1);
	call_start(0, 0, "b", "e");
	pool_give_back(pool_of(0), one);
	pool_give_back(pool_of(0), other);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0, "
			 "begin b@0 1000us, reply b@0, restore b@0");
	tear_down();
}
END_TEST

/* ---- how long they wait ---- */

START_TEST(an_invocation_without_a_vm_in_time_is_throttled)
{
	struct call *call;
	struct vm *vm;

	set_up(1);
	fixture_spec(0)->concurrency.queue_timeout_ns = 10 * NS_PER_S;
	fixture_set_vms(0, 1, 0);
	vm = fake_pool_hold(pool_of(0));
	call = call_start(0, 0, "a", "e");
	ck_assert(!fixture_turn(0));
	ck_assert(!call->has_replied);
	fixture_fire_timers();
	ck_assert(call->has_ended);
	ck_assert_int_eq(call->result, -EAGAIN);
	ck_assert_ptr_nonnull(strstr(call->invocation.error.message,
				     "queue_timeout of 10000 ms"));
	ck_assert_uint_eq(outcomes_of(0, METRICS_THROTTLED), 1);
	ck_assert_uint_eq(waiting_of(0), 0);
	pool_give_back(pool_of(0), vm);
	ck_assert_str_eq(fake_trace(), "refuse a@0");
	tear_down();
}
END_TEST

START_TEST(the_queue_timeout_is_not_over_early)
{
	struct call *call;
	struct vm *vm;

	set_up(1);
	fixture_spec(0)->concurrency.queue_timeout_ns = 20 * NS_PER_S;
	fixture_set_vms(0, 1, 0);
	vm = fake_pool_hold(pool_of(0));
	call = call_start(0, 0, "a", "e");
	fixture_turns(0);
	fixture_fire_timers();
	ck_assert(!call->has_replied);
	ck_assert_uint_eq(waiting_of(0), 1);
	pool_give_back(pool_of(0), vm);
	tear_down();
}
END_TEST

/* The vm is on its way when the timer fires. */
START_TEST(a_vm_at_the_last_moment_is_in_time)
{
	struct vm *vm;

	set_up(1);
	fixture_spec(0)->concurrency.queue_timeout_ns = 10 * NS_PER_S;
	fixture_set_vms(0, 1, 0);
	vm = fake_pool_hold(pool_of(0));
	call_start(0, 0, "a", "e");
	fixture_turns(0);
	pool_give_back(pool_of(0), vm);
	fixture_fire_timers();
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0");
	tear_down();
}
END_TEST

START_TEST(an_invocation_with_a_vm_has_no_queue_timer)
{
	struct vm *vm;

	set_up(1);
	fixture_set_vms(0, 1, 0);
	vm = fake_pool_hold(pool_of(0));
	call_start(0, 0, "a", "##e");
	fixture_turns(0);
	ck_assert_uint_ne(timers_next(&fixture.worker->timers), UINT64_MAX);
	pool_give_back(pool_of(0), vm);
	fixture_turns(0);
	ck_assert_uint_eq(timers_next(&fixture.worker->timers), UINT64_MAX);
	tear_down();
}
END_TEST

START_TEST(a_turn_that_comes_too_late_is_a_timeout)
{
	struct call *call;

	set_up(1);
	fixture_spec(0)->concurrency.queue_timeout_ns = NS_PER_MS;
	call = call_start(0, 0, "a", "e");
	while (clock_now_ns() - call->invocation.arrived_ns <= NS_PER_MS)
		;
	fixture_turns(0);
	ck_assert_int_eq(call->result, -EAGAIN);
	ck_assert_uint_eq(outcomes_of(0, METRICS_THROTTLED), 1);
	ck_assert_str_eq(fake_trace(), "refuse a@0");
	tear_down();
}
END_TEST

/* ---- clients that have gone ---- */

START_TEST(nothing_begins_for_a_client_that_has_gone)
{
	struct call *call;

	set_up(1);
	call = call_start(0, 0, "a", "e");
	call_start(0, 0, "b", "e");
	invocation_abandon(&call->invocation);
	ck_assert(!call->has_replied);
	fixture_turns(0);
	ck_assert_int_eq(call->result, -ECANCELED);
	ck_assert_str_eq(fake_trace(),
			 "refuse a@0, "
			 "begin b@0 1000us, reply b@0, restore b@0");
	tear_down();
}
END_TEST

START_TEST(a_client_that_has_gone_leaves_the_line_at_once)
{
	struct call *call;
	struct vm *vm;

	set_up(1);
	fixture_set_vms(0, 1, 0);
	vm = fake_pool_hold(pool_of(0));
	call = call_start(0, 0, "a", "e");
	call_start(0, 0, "b", "e");
	fixture_turns(0);
	ck_assert_uint_eq(waiting_of(0), 2);
	invocation_abandon(&call->invocation);
	ck_assert(call->has_ended);
	ck_assert_uint_eq(waiting_of(0), 1);
	ck_assert_uint_eq(fixture.deployment->admitted, 1);
	pool_give_back(pool_of(0), vm);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "refuse a@0, "
			 "begin b@0 1000us, reply b@0, restore b@0");
	tear_down();
}
END_TEST

START_TEST(the_vm_of_a_client_that_has_gone_goes_to_the_next)
{
	struct call *call;
	struct vm *vm;

	set_up(1);
	fixture_set_vms(0, 1, 0);
	vm = fake_pool_hold(pool_of(0));
	call = call_start(0, 0, "a", "e");
	call_start(0, 0, "b", "e");
	fixture_turns(0);
	pool_give_back(pool_of(0), vm);
	invocation_abandon(&call->invocation);
	ck_assert(!call->has_replied);
	fixture_turns(0);
	fixture_turns(0);
	ck_assert_int_eq(call->result, -ECANCELED);
	ck_assert_str_eq(fake_trace(),
			 "refuse a@0, "
			 "begin b@0 1000us, reply b@0, restore b@0");
	tear_down();
}
END_TEST

/* Whether it is offloaded, asleep or polled at that moment. */
START_TEST(a_run_ends_though_its_client_has_gone)
{
	static const char *const scripts[] = { "##e", "ze", "poe" };
	struct call *call;

	for (unsigned i = 0; i < 3; i++) {
		set_up(1);
		call = call_start(0, 0, "a", scripts[i]);
		fixture_turns(0);
		ck_assert(!call->has_replied);
		invocation_abandon(&call->invocation);
		ck_assert(!call->has_replied);
		fixture_fire_timers();
		fixture_settle(0);
		ck_assert(call->has_ended && !call->result);
		tear_down();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("invocation");
	TCase *tests = tcase_create("invocation");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, a_function_admits_what_may_run_and_wait);
	tcase_add_test(tests, the_limit_counts_all_workers);
	tcase_add_test(tests, each_function_has_its_own_limit);
	tcase_add_test(tests, there_is_room_again_before_the_reply);
	tcase_add_test(tests, an_inactive_function_admits_nothing);
	tcase_add_test(tests, a_request_that_is_too_large_is_not_admitted);
	tcase_add_test(tests, a_retry_is_not_counted_as_throttled);
	tcase_add_test(tests, a_functions_invocations_run_in_order);
	tcase_add_test(tests, the_function_that_used_less_time_is_next);
	tcase_add_test(tests, a_worker_looks_at_its_connections_after_sixteen);
	tcase_add_test(tests, a_worker_looks_at_its_connections_after_a_while);
	tcase_add_test(tests, an_invocation_that_waited_for_a_vm_runs_first);
	tcase_add_test(tests, an_invocation_without_a_vm_in_time_is_throttled);
	tcase_add_test(tests, the_queue_timeout_is_not_over_early);
	tcase_add_test(tests, a_vm_at_the_last_moment_is_in_time);
	tcase_add_test(tests, an_invocation_with_a_vm_has_no_queue_timer);
	tcase_add_test(tests, a_turn_that_comes_too_late_is_a_timeout);
	tcase_add_test(tests, nothing_begins_for_a_client_that_has_gone);
	tcase_add_test(tests, a_client_that_has_gone_leaves_the_line_at_once);
	tcase_add_test(tests,
		       the_vm_of_a_client_that_has_gone_goes_to_the_next);
	tcase_add_test(tests, a_run_ends_though_its_client_has_gone);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
