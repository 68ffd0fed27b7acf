/*
 * test_invocation_run.c - an invocation from the moment it begins: its slices, where
 * it continues, how it sleeps, is polled and replies, and who restores its vm.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/invocation_fixture.h"

static uint64_t offloaded(void)
{
	return metrics_get(&fixture.server->shared.metrics.offloaded_total);
}

/* How many are on their way to an offload thread. */
static bool is_offloaded(void)
{
	return fake_engine.offload.first;
}

/* Has the next invocations of the function begin on offload threads. */
static void make_slow(void)
{
	for (unsigned i = 0; i < 2; i++) {
		call_start(0, 0, "", "##e");
		fixture_settle(0);
	}
	ck_assert_uint_eq(offloaded(), 2);
	fake_trace();
}

/* ---- slices ---- */

START_TEST(a_run_within_its_budget_stays_on_its_worker)
{
	struct call *call;

	set_up(1);
	call = call_start(0, 0, "a", "e");
	ck_assert(!fixture_turn(0));
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0");
	ck_assert(call->has_ended && !call->result);
	ck_assert_uint_eq(offloaded(), 0);
	ck_assert_uint_eq(metrics_get(&metrics_of(0)->starts[METRICS_WARM]), 1);
	ck_assert_uint_eq(metrics_get(&metrics_of(0)->restores), 1);
	ck_assert_uint_eq(outcomes_of(0, METRICS_OK), 1);
	tear_down();
}
END_TEST

START_TEST(a_run_over_its_budget_is_offloaded)
{
	struct call *call;

	set_up(1);
	call = call_start(0, 0, "a", "##..e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "begin a@0 1000us, more a@0 500us");
	ck_assert_uint_eq(offloaded(), 1);
	ck_assert(fixture_run_work());
	ck_assert(!call->has_replied);
	fixture_turns(0);
	ck_assert(call->has_ended && !call->result);
	ck_assert_str_eq(fake_trace(), "more a@o 10000us, more a@o 10000us, "
				       "more a@o 10000us, restore a@o, "
				       "reply a@0");
	tear_down();
}
END_TEST

/* It has not used the CPU itself. The number of half slices is limited. */
START_TEST(a_run_that_others_hold_up_gets_half_slices)
{
	set_up(1);
	call_start(0, 0, "a", "..e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, more a@0 500us, more a@0 500us, "
			 "reply a@0, restore a@0");
	ck_assert_int_eq(SERVER_INLINE_MORE, 4);
	call_start(0, 0, "b", ".....e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin b@0 1000us, more b@0 500us, more b@0 500us, "
			 "more b@0 500us, more b@0 500us");
	ck_assert(is_offloaded());
	tear_down();
}
END_TEST

START_TEST(an_offloaded_run_yields_its_thread)
{
	set_up(1);
	call_start(0, 0, "a", "##...e");
	call_start(0, 1, "b", "##e");
	fixture_turns(0);
	fake_trace();
	fake_engine.others_wait = true;
	ck_assert(fixture_run_work());
	ck_assert(fixture_run_work());
	ck_assert_str_eq(fake_trace(),
			 "more a@o 10000us, more b@o 10000us, restore b@o");
	ck_assert(fixture_run_work());
	ck_assert_str_eq(fake_trace(), "more a@o 10000us");
	fake_engine.others_wait = false;
	ck_assert(fixture_run_work());
	ck_assert_str_eq(fake_trace(),
			 "more a@o 10000us, more a@o 10000us, restore a@o");
	tear_down();
}
END_TEST

START_TEST(a_slow_function_begins_offloaded)
{
	set_up(1);
	call_start(0, 0, "a", "##e");
	fixture_settle(0);
	fake_trace();
	/* one is not enough */
	call_start(0, 0, "b", "##e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "begin b@0 1000us, more b@0 500us");
	fixture_settle(0);
	fake_trace();
	call_start(0, 0, "c", "e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "");
	fixture_settle(0);
	ck_assert_str_eq(fake_trace(),
			 "begin c@o 10000us, restore c@o, reply c@0");
	tear_down();
}
END_TEST

START_TEST(a_function_that_is_fast_again_begins_on_a_worker)
{
	set_up(1);
	make_slow();
	fake_engine.burn_ns = 2 * BUDGET_NS;
	/* it still uses more CPU time than its budget */
	call_start(0, 0, "a", "#e");
	fixture_settle(0);
	for (unsigned i = 0; i < 3; i++) {
		call_start(0, 0, "b", "e");
		fake_trace();
		fixture_settle(0);
		ck_assert_str_eq(fake_trace(),
				 "begin b@o 10000us, restore b@o, reply b@0");
	}
	call_start(0, 0, "c", "e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin c@0 1000us, reply c@0, restore c@0");
	tear_down();
}
END_TEST

START_TEST(a_failure_of_the_engine_is_the_result)
{
	static const char *const scripts[] = { "!", ".!", "##!", "z!", "p!" };
	struct call *call;

	for (unsigned i = 0; i < 5; i++) {
		set_up(1);
		call = call_start(0, 0, "a", scripts[i]);
		fixture_settle(0);
		fixture_fire_timers();
		fixture_settle(0);
		ck_assert(call->has_ended);
		ck_assert_int_eq(call->result, -EIO);
		ck_assert_uint_eq(outcomes_of(0, METRICS_FAILED), 1);
		ck_assert_uint_eq(metrics_get(&metrics_of(0)->restores), 0);
		ck_assert_ptr_null(strstr(fake_trace(), "restore"));
		tear_down();
	}
}
END_TEST

/* ---- new vms ---- */

START_TEST(a_builder_makes_a_vm_and_runs_the_first_slice)
{
	set_up(1);
	fixture_set_vms(0, 0, 1);
	call_start(0, 0, "a", ".e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "");
	ck_assert(!is_offloaded());
	ck_assert(fixture_run_work());
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@b 1000us, more a@b 500us, restore a@b, "
			 "reply a@0");
	ck_assert_uint_eq(metrics_get(&metrics_of(0)->starts[METRICS_SNAPSHOT]),
			  1);
	ck_assert_uint_eq(metrics_get(&metrics_of(0)->starts[METRICS_WARM]), 0);
	tear_down();
}
END_TEST

/* Other functions wait for the builder. */
START_TEST(a_run_over_its_budget_leaves_the_builder)
{
	set_up(1);
	fixture_set_vms(0, 0, 1);
	call_start(0, 0, "a", "##e");
	fixture_turns(0);
	ck_assert(fixture_run_work());
	ck_assert_str_eq(fake_trace(), "begin a@b 1000us, more a@b 500us");
	ck_assert(is_offloaded());
	fixture_settle(0);
	ck_assert_str_eq(fake_trace(),
			 "more a@o 10000us, restore a@o, reply a@0");
	tear_down();
}
END_TEST

START_TEST(an_error_of_the_builder_is_the_result)
{
	struct call *call;

	set_up(1);
	fixture_set_vms(0, 0, 1);
	fake_engine.take_result = -EBUSY;
	call = call_start(0, 0, "a", "e");
	fixture_settle(0);
	ck_assert_int_eq(call->result, -EBUSY);
	ck_assert_uint_eq(outcomes_of(0, METRICS_THROTTLED), 1);
	ck_assert_str_eq(fake_trace(), "refuse a@0");
	tear_down();
}
END_TEST

/*
 * The vm that another invocation asked for could not be made, so the next in line may
 * have one made.
 */
START_TEST(no_vm_is_made_for_a_client_that_has_gone)
{
	struct call *call;

	set_up(1);
	fixture_set_vms(0, 0, 1);
	fake_engine.take_result = -EBUSY;
	call_start(0, 0, "a", "e");
	call = call_start(0, 0, "b", "e");
	fixture_turns(0);
	ck_assert_uint_eq(waiting_of(0), 1);
	ck_assert(fixture_run_work());
	ck_assert_uint_eq(waiting_of(0), 0);
	invocation_abandon(&call->invocation);
	fixture_turns(0);
	ck_assert_int_eq(call->result, -ECANCELED);
	ck_assert_ptr_null(fake_engine.builders.first);
	ck_assert(fake_pool_is_quiet(pool_of(0)));
	tear_down();
}
END_TEST

/* ---- sleeps ---- */

START_TEST(a_sleeping_run_is_a_timer)
{
	struct call *call;

	set_up(1);
	call = call_start(0, 0, "a", "ze");
	ck_assert(!fixture_turn(0));
	ck_assert_str_eq(fake_trace(), "begin a@0 1000us");
	ck_assert(!is_offloaded());
	ck_assert_uint_ne(timers_next(&fixture.worker->timers), UINT64_MAX);
	ck_assert(!fixture_turn(0));
	ck_assert_str_eq(fake_trace(), "");
	ck_assert(!fake_pool_is_quiet(pool_of(0)));
	fixture_fire_timers();
	ck_assert(!call->has_replied);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "more a@0 1000us, reply a@0, restore a@0");
	ck_assert_uint_eq(offloaded(), 0);
	tear_down();
}
END_TEST

START_TEST(an_offloaded_run_that_sleeps_wakes_on_its_worker)
{
	set_up(1);
	call_start(0, 0, "a", "##zze");
	fixture_turns(0);
	fake_trace();
	ck_assert(fixture_run_work());
	ck_assert_str_eq(fake_trace(), "more a@o 10000us");
	ck_assert(!is_offloaded());
	ck_assert_uint_eq(timers_next(&fixture.worker->timers), UINT64_MAX);
	fixture_turns(0);
	ck_assert_uint_ne(timers_next(&fixture.worker->timers), UINT64_MAX);
	fixture_fire_timers();
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "more a@0 1000us");
	tear_down();
}
END_TEST

START_TEST(a_run_that_sleeps_in_a_new_vm_wakes_on_its_worker)
{
	set_up(1);
	fixture_set_vms(0, 0, 1);
	call_start(0, 0, "a", "ze");
	fixture_turns(0);
	ck_assert(fixture_run_work());
	ck_assert(!is_offloaded());
	fixture_turns(0);
	fixture_fire_timers();
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "begin a@b 1000us, more a@0 1000us, "
				       "reply a@0");
	tear_down();
}
END_TEST

START_TEST(a_run_of_a_slow_function_wakes_offloaded)
{
	set_up(1);
	make_slow();
	call_start(0, 0, "a", "ze");
	fixture_turns(0);
	ck_assert(fixture_run_work());
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "begin a@o 10000us");
	fixture_fire_timers();
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "");
	ck_assert(fixture_run_work());
	ck_assert_str_eq(fake_trace(), "more a@o 10000us, restore a@o");
	tear_down();
}
END_TEST

START_TEST(a_run_that_wakes_is_the_first_of_its_function)
{
	set_up(1);
	call_start(0, 0, "a", "ze");
	fixture_turns(0);
	call_start(0, 0, "b", "e");
	fixture_fire_timers();
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, "
			 "more a@0 1000us, reply a@0, restore a@0, "
			 "begin b@0 1000us, reply b@0, restore b@0");
	tear_down();
}
END_TEST

/* ---- polled runs ---- */

START_TEST(a_worker_polls_a_run_until_it_ends)
{
	struct call *call;

	set_up(1);
	fixture_spec(0)->inline_budget_ns = 100 * NS_PER_S;
	call = call_start(0, 0, "a", "poe");
	/* the worker may not sleep */
	ck_assert(fixture_turn(0));
	ck_assert(fixture_turn(0));
	ck_assert(!call->has_replied);
	fake_engine.polls_end = true;
	ck_assert(!fixture_turn(0));
	ck_assert(call->has_ended && !call->result);
	ck_assert_uint_eq(offloaded(), 0);
	tear_down();
}
END_TEST

/* Beginning it takes no time, and an offload thread cannot poll it. */
START_TEST(a_slow_function_that_can_be_polled_begins_on_a_worker)
{
	set_up(1);
	make_slow();
	fixture.deployment->function->gate.gate = VM_GATE_USER;
	call_start(0, 0, "a", "pe");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0");
	tear_down();
}
END_TEST

START_TEST(a_polled_run_over_its_budget_is_offloaded)
{
	struct call *call;

	set_up(1);
	call = call_start(0, 0, "a", "poe");
	while (!is_offloaded())
		fixture_turns(0);
	ck_assert(!fixture_turn(0));
	ck_assert_ptr_null(fixture.worker->polled);
	ck_assert_uint_ge(clock_now_ns() - call->invocation.polled_ns,
			  BUDGET_NS);
	fixture_settle(0);
	ck_assert_str_eq(fake_trace(), "begin a@0 1000us, more a@o 10000us, "
				       "restore a@o, reply a@0");
	tear_down();
}
END_TEST

START_TEST(a_polled_run_that_sleeps_is_a_timer)
{
	set_up(1);
	fixture_spec(0)->inline_budget_ns = 100 * NS_PER_S;
	call_start(0, 0, "a", "pze");
	ck_assert(!fixture_turn(0));
	ck_assert_ptr_null(fixture.worker->polled);
	ck_assert(!fixture_turn(0));
	fixture_fire_timers();
	ck_assert(!fixture_turn(0));
	ck_assert_str_eq(fake_trace(), "begin a@0 100000000us, "
				       "reply a@0, restore a@0");
	tear_down();
}
END_TEST

/* ---- replies, and restores ---- */

START_TEST(an_offload_thread_reads_a_large_request)
{
	static char script[SERVER_INLINE_BYTES + 2];

	set_up(1);
	memset(script, 'e', SERVER_INLINE_BYTES);
	call_start(0, 0, "a", script);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0");
	script[SERVER_INLINE_BYTES] = 'e';
	call_start(0, 0, "b", script);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "");
	fixture_settle(0);
	ck_assert_str_eq(fake_trace(),
			 "begin b@o 10000us, restore b@o, reply b@0");
	tear_down();
}
END_TEST

START_TEST(an_offload_thread_copies_a_large_reply)
{
	struct call *call;

	set_up(1);
	call = call_start(0, 0, "a", "L");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "begin a@0 1000us");
	ck_assert(fixture_run_work());
	ck_assert(!call->has_replied);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "restore a@o, reply a@0");
	ck_assert_uint_eq(call->reply_size, SERVER_INLINE_BYTES + 1);
	/* nobody reads the reply of an event */
	call = call_prepare(0, 0, "b", "L");
	call->invocation.drops_reply = true;
	call_start_prepared(call);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin b@0 1000us, reply b@0, restore b@0");
	tear_down();
}
END_TEST

START_TEST(an_offload_thread_restores_much_memory)
{
	struct call *call;

	set_up(1);
	fake_engine.restore_bytes = SERVER_INLINE_RESTORE;
	call_start(0, 0, "a", "e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0");
	fake_engine.restore_bytes = SERVER_INLINE_RESTORE + 1;
	call = call_start(0, 0, "b", "e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "begin b@0 1000us, reply b@0");
	ck_assert(call->has_ended);
	ck_assert_uint_eq(metrics_get(&metrics_of(0)->restores_offloaded), 1);
	ck_assert(fixture_run_work());
	ck_assert_str_eq(fake_trace(), "restore b@o");
	ck_assert_uint_eq(metrics_get(&metrics_of(0)->restores), 2);
	tear_down();
}
END_TEST

/* It had the time to write to many pages. */
START_TEST(an_offload_thread_restores_what_was_offloaded)
{
	set_up(1);
	call_start(0, 0, "a", "##ze");
	fixture_turns(0);
	ck_assert(fixture_run_work());
	fixture_turns(0);
	fixture_fire_timers();
	fake_trace();
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "more a@0 1000us, reply a@0");
	ck_assert(fixture_run_work());
	ck_assert_str_eq(fake_trace(), "restore a@o");
	tear_down();
}
END_TEST

static TCase *make_tests(void)
{
	TCase *tests = tcase_create("invocation_run");

	tcase_add_test(tests, a_run_within_its_budget_stays_on_its_worker);
	tcase_add_test(tests, a_run_over_its_budget_is_offloaded);
	tcase_add_test(tests, a_run_that_others_hold_up_gets_half_slices);
	tcase_add_test(tests, an_offloaded_run_yields_its_thread);
	tcase_add_test(tests, a_slow_function_begins_offloaded);
	tcase_add_test(tests, a_function_that_is_fast_again_begins_on_a_worker);
	tcase_add_test(tests, a_failure_of_the_engine_is_the_result);
	tcase_add_test(tests, a_builder_makes_a_vm_and_runs_the_first_slice);
	tcase_add_test(tests, a_run_over_its_budget_leaves_the_builder);
	tcase_add_test(tests, an_error_of_the_builder_is_the_result);
	tcase_add_test(tests, no_vm_is_made_for_a_client_that_has_gone);
	tcase_add_test(tests, a_sleeping_run_is_a_timer);
	tcase_add_test(tests, an_offloaded_run_that_sleeps_wakes_on_its_worker);
	tcase_add_test(tests,
		       a_run_that_sleeps_in_a_new_vm_wakes_on_its_worker);
	tcase_add_test(tests, a_run_of_a_slow_function_wakes_offloaded);
	tcase_add_test(tests, a_run_that_wakes_is_the_first_of_its_function);
	tcase_add_test(tests, a_worker_polls_a_run_until_it_ends);
	tcase_add_test(tests,
		       a_slow_function_that_can_be_polled_begins_on_a_worker);
	tcase_add_test(tests, a_polled_run_over_its_budget_is_offloaded);
	tcase_add_test(tests, a_polled_run_that_sleeps_is_a_timer);
	tcase_add_test(tests, an_offload_thread_reads_a_large_request);
	tcase_add_test(tests, an_offload_thread_copies_a_large_reply);
	tcase_add_test(tests, an_offload_thread_restores_much_memory);
	tcase_add_test(tests, an_offload_thread_restores_what_was_offloaded);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("invocation_run");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, make_tests());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
