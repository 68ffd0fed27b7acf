/*
 * test_invocation_typed.c - invocations of typed functions: where their calls and
 * results are converted, and who pays for the memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "tests/unit/invocation_fixture.h"

/* A script that ends at once, of a request that is too large to convert on a worker. */
static char large[SERVER_INLINE_TYPED + 2];

static void set_up_typed(unsigned workers)
{
	set_up(workers);
	memset(large, 'e', SERVER_INLINE_TYPED + 1);
	for (unsigned i = 0; i < FIXTURE_FUNCTIONS; i++)
		fixture.deployments[i]->function->is_typed = true;
}

START_TEST(a_small_call_stays_on_its_worker)
{
	struct call *call;

	set_up_typed(1);
	call = call_start(0, 0, "a", "e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "call a@0, begin a@0 1000us, take a@0, "
				       "reply a@0, restore a@0");
	ck_assert(call->has_ended && !call->result);
	large[SERVER_INLINE_TYPED] = '\0';
	call_start(0, 0, "b", large);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "call b@0, begin b@0 1000us, take b@0, "
				       "reply b@0, restore b@0");
	tear_down();
}
END_TEST

/* What the function may send does not count, but what it sends. */
START_TEST(a_small_call_of_a_function_with_large_replies_stays_there_too)
{
	set_up_typed(1);
	fixture_spec(0)->max_reply = 16 * SERVER_INLINE_BYTES;
	call_start(0, 0, "a", "e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "call a@0, begin a@0 1000us, take a@0, "
				       "reply a@0, restore a@0");
	tear_down();
}
END_TEST

START_TEST(an_offload_thread_makes_a_large_call)
{
	struct call *call;

	set_up_typed(1);
	call = call_start(0, 0, "a", large);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "");
	ck_assert(fake_pool_is_quiet(pool_of(0)));
	ck_assert(fixture_run_work());
	ck_assert_str_eq(fake_trace(), "call a@o");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "begin a@0 1000us, take a@0, "
				       "reply a@0, restore a@0");
	ck_assert(call->has_ended && !call->result);
	tear_down();
}
END_TEST

START_TEST(an_offload_thread_takes_a_large_result)
{
	struct call *call;

	set_up_typed(1);
	call = call_start(0, 0, "a", "T");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "call a@0, begin a@0 1000us");
	ck_assert(fixture_run_work());
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "take a@o, restore a@o, reply a@0");
	ck_assert_uint_eq(call->reply_size, SERVER_INLINE_TYPED + 1);
	/* that of an event is checked, though nobody reads it */
	call = call_prepare(0, 0, "b", "T");
	call->invocation.drops_reply = true;
	call_start_prepared(call);
	fixture_turns(0);
	fake_trace();
	ck_assert(fixture_run_work());
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "take b@o, restore b@o, reply b@0");
	ck_assert_uint_eq(call->reply_size, 0);
	tear_down();
}
END_TEST

/* The function is not slow because of that. */
START_TEST(large_results_do_not_make_a_function_slow)
{
	set_up_typed(1);
	for (unsigned i = 0; i < 8; i++) {
		call_start(0, 0, "", "T");
		fixture_settle(0);
	}
	fake_trace();
	call_start(0, 0, "a", "e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "call a@0, begin a@0 1000us, take a@0, "
				       "reply a@0, restore a@0");
	tear_down();
}
END_TEST

START_TEST(a_polled_call_begins_on_its_worker)
{
	set_up_typed(1);
	fixture_spec(0)->max_reply = 16 * SERVER_INLINE_BYTES;
	fixture.deployment->function->gate.gate = VM_GATE_USER;
	call_start(0, 0, "a", "pe");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "call a@0, begin a@0 1000us, take a@0, "
				       "reply a@0, restore a@0");
	tear_down();
}
END_TEST

START_TEST(an_offloaded_run_takes_its_result_there)
{
	set_up_typed(1);
	call_start(0, 0, "a", "##e");
	fixture_settle(0);
	ck_assert_str_eq(fake_trace(),
			 "call a@0, begin a@0 1000us, more a@0 500us, "
			 "more a@o 10000us, take a@o, restore a@o, reply a@0");
	tear_down();
}
END_TEST

/* All vms are busy, and it is refused all the same. */
START_TEST(a_wrong_call_needs_no_vm)
{
	const char *const scripts[] = { "e", large };
	struct call *call;
	struct vm *vms[FAKE_VMS_MAX];

	for (unsigned i = 0; i < 2; i++) {
		set_up_typed(1);
		for (unsigned j = 0; j < FAKE_VMS_MAX; j++)
			vms[j] = fake_pool_hold(pool_of(0));
		fake_engine.call_result = -EINVAL;
		call = call_start(0, 0, "a", scripts[i]);
		fixture_settle(0);
		ck_assert(call->has_ended);
		ck_assert_int_eq(call->result, -EINVAL);
		ck_assert_uint_eq(waiting_of(0), 0);
		ck_assert_uint_eq(metrics_get(&metrics_of(0)->inflight), 0);
		ck_assert_uint_eq(outcomes_of(0, METRICS_REFUSED), 1);
		ck_assert_uint_eq(outcomes_of(0, METRICS_FAILED), 0);
		ck_assert_str_eq(fake_trace(), i ? "call a@o, refuse a@0" :
						   "call a@0, refuse a@0");
		for (unsigned j = 0; j < FAKE_VMS_MAX; j++)
			pool_give_back(pool_of(0), vms[j]);
		tear_down();
	}
}
END_TEST

/* A call that was made and never begins is dropped: tear_down() looks. */
START_TEST(a_call_that_never_begins_is_dropped)
{
	struct vm *vms[FAKE_VMS_MAX];
	struct call *calls[2];

	set_up_typed(1);
	fixture_spec(0)->concurrency.queue_timeout_ns = 10 * NS_PER_S;
	for (unsigned i = 0; i < FAKE_VMS_MAX; i++)
		vms[i] = fake_pool_hold(pool_of(0));
	calls[0] = call_start(0, 0, "a", "e");
	calls[1] = call_start(0, 0, "b", large);
	fixture_turns(0);
	ck_assert(fixture_run_work());
	fixture_turns(0);
	ck_assert_uint_eq(waiting_of(0), 2);
	ck_assert_int_eq(fake_engine.calls, 2);
	invocation_abandon(&calls[0]->invocation);
	fixture_fire_timers();
	ck_assert_int_eq(calls[0]->result, -ECANCELED);
	ck_assert_int_eq(calls[1]->result, -EAGAIN);
	for (unsigned i = 0; i < FAKE_VMS_MAX; i++)
		pool_give_back(pool_of(0), vms[i]);
	tear_down();
}
END_TEST

/* ---- memory ---- */

/* Starts a call that @account pays for. */
static struct call *start_paid(const char *name, const char *script,
			       struct budget_account *account)
{
	struct call *call = call_prepare(0, 0, name, script);

	call->invocation.account = account;
	call_start_prepared(call);
	return call;
}

static size_t used_at_reply;

static void look(struct call *call)
{
	used_at_reply = call->invocation.account->used;
}

START_TEST(a_call_is_paid_for_until_its_reply)
{
	struct budget_account account;
	struct call *call;

	set_up_typed(1);
	budget_open(&account, &fixture.worker->purse);
	call = start_paid("a", large, &account);
	call->on_reply = look;
	/* from before it waits in any line */
	ck_assert_uint_eq(account.used, 2 * (SERVER_INLINE_TYPED + 1));
	used_at_reply = 1;
	fixture_settle(0);
	ck_assert(call->has_ended && !call->result);
	ck_assert_uint_eq(used_at_reply, 0);
	ck_assert_uint_eq(account.used, 0);
	/* the invocation itself has the place for a small one */
	call = start_paid("b", "e", &account);
	ck_assert_uint_eq(account.used, 0);
	fixture_settle(0);
	ck_assert(call->has_ended && !call->result);
	budget_close(&account);
	tear_down();
}
END_TEST

START_TEST(a_call_without_memory_is_put_off)
{
	struct budget_account account;
	struct call *call;

	set_up_typed(1);
	budget_open(&account, &fixture.worker->purse);
	budget_take_anyway(&account, fixture.server->shared.buffers.max);
	call = start_paid("a", large, &account);
	ck_assert(call->has_ended);
	ck_assert_int_eq(call->result, -EAGAIN);
	ck_assert_ptr_nonnull(strstr(call->invocation.error.message, "memory"));
	ck_assert_uint_eq(outcomes_of(0, METRICS_THROTTLED), 1);
	ck_assert_str_eq(fake_trace(), "refuse a@0");
	budget_close(&account);
	tear_down();
}
END_TEST

static TCase *make_tests(void)
{
	TCase *tests = tcase_create("invocation_typed");

	tcase_add_test(tests, a_small_call_stays_on_its_worker);
	tcase_add_test(
		tests,
		a_small_call_of_a_function_with_large_replies_stays_there_too);
	tcase_add_test(tests, an_offload_thread_makes_a_large_call);
	tcase_add_test(tests, an_offload_thread_takes_a_large_result);
	tcase_add_test(tests, large_results_do_not_make_a_function_slow);
	tcase_add_test(tests, a_polled_call_begins_on_its_worker);
	tcase_add_test(tests, an_offloaded_run_takes_its_result_there);
	tcase_add_test(tests, a_wrong_call_needs_no_vm);
	tcase_add_test(tests, a_call_that_never_begins_is_dropped);
	tcase_add_test(tests, a_call_is_paid_for_until_its_reply);
	tcase_add_test(tests, a_call_without_memory_is_put_off);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("invocation_typed");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, make_tests());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
