/*
 * test_invocation_workers.c - invocations and their workers: replies are submitted
 * together, a sleeping worker steals from one that has more to do, and a draining worker
 * is idle when everything has been answered.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/protocol/frame.h"
#include "executor/server/worker.h"
#include "tests/unit/invocation_fixture.h"

static struct worker *worker_at(unsigned index)
{
	return &fixture.server->shared.workers[index];
}

static void sleep_worker(unsigned index)
{
	fake_io_sleep(worker_at(index)->io);
}

static uint64_t stolen(void)
{
	return metrics_get(&fixture.server->shared.metrics.stolen_total);
}

/* ---- submitting ---- */

START_TEST(replies_are_submitted_together)
{
	const unsigned count = 32;
	unsigned before;

	set_up(1);
	for (unsigned i = 0; i < count; i++)
		call_start(0, 0, "a", "e");
	before = fake_io_flushes;
	fixture_turns(0);
	ck_assert_uint_eq(outcomes_of(0, METRICS_OK), count);
	/* two; more if other threads have used much of the time */
	ck_assert_uint_ge(fake_io_flushes - before, 2);
	ck_assert_uint_le(fake_io_flushes - before, count / 2);
	tear_down();
}
END_TEST

START_TEST(a_reply_does_not_wait_for_a_long_run)
{
	unsigned before;

	set_up(1);
	fixture.deployments[1]->run_ns = _i ? NS_PER_S :
					      0; /* 0: nobody knows */
	call_start(0, 0, "a", "e");
	call_start(0, 1, "b", "e");
	before = fake_io_flushes;
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0, "
			 "begin b@0 1000us, reply b@0, restore b@0");
	ck_assert_uint_eq(fake_io_flushes - before, 2);
	tear_down();
}
END_TEST

/* ---- stealing ---- */

START_TEST(a_sleeping_worker_steals_the_next_invocation)
{
	struct call *call;

	set_up(2);
	sleep_worker(1);
	call_start(0, 0, "a", "e");
	call = call_start(0, 0, "b", "e");
	ck_assert(!fixture_turn(0));
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0");
	ck_assert_uint_eq(stolen(), 1);
	/* the message has woken it */
	ck_assert(!io_sleeps(worker_at(1)->io));
	fixture_turns(1);
	ck_assert_str_eq(fake_trace(), "begin b@1 1000us, restore b@1");
	ck_assert(!call->has_replied);
	/* the connection belongs to the first worker */
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "reply b@0");
	ck_assert(call->has_ended && !call->result);
	tear_down();
}
END_TEST

START_TEST(the_only_invocation_is_not_stolen)
{
	set_up(2);
	sleep_worker(1);
	call_start(0, 0, "a", "e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0");
	ck_assert_uint_eq(stolen(), 0);
	ck_assert(io_sleeps(worker_at(1)->io));
	tear_down();
}
END_TEST

START_TEST(a_busy_worker_steals_nothing)
{
	set_up(2);
	call_start(0, 0, "a", "e");
	call_start(0, 0, "b", "e");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0, "
			 "begin b@0 1000us, reply b@0, restore b@0");
	ck_assert_uint_eq(stolen(), 0);
	ck_assert(!fake_io_has_work(worker_at(1)->io));
	tear_down();
}
END_TEST

/* And no more than one: a worker that was woken does not sleep any more. */
START_TEST(each_sleeping_worker_steals_one)
{
	set_up(3);
	sleep_worker(0);
	sleep_worker(2);
	call_start(1, 0, "a", "e");
	call_start(1, 0, "b", "e");
	call_start(1, 0, "c", "e");
	call_start(1, 0, "d", "e");
	call_start(1, 0, "f", "e");
	fixture_turns(1);
	ck_assert_uint_eq(stolen(), 2);
	fixture_turns(0);
	fixture_turns(2);
	ck_assert_str_eq(fake_trace(),
			 "begin a@1 1000us, reply a@1, restore a@1, "
			 "begin c@1 1000us, reply c@1, restore c@1, "
			 "begin f@1 1000us, reply f@1, restore f@1, "
			 "begin d@0 1000us, restore d@0, "
			 "begin b@2 1000us, restore b@2");
	fixture_turns(1);
	ck_assert_str_eq(fake_trace(), "reply d@1, reply b@1");
	tear_down();
}
END_TEST

/* A call of the first worker that the second one has stolen. */
static struct call *steal(const char *name, const char *script)
{
	struct call *call;

	sleep_worker(1);
	call_start(0, 1, "", "e");
	call = call_start(0, 0, name, script);
	fixture_turns(0);
	ck_assert_uint_eq(stolen(), 1);
	fixture_turns(1);
	return call;
}

START_TEST(a_stolen_run_sleeps_on_the_thief)
{
	set_up(2);
	steal("a", "ze");
	ck_assert_uint_eq(timers_next(&worker_at(0)->timers), UINT64_MAX);
	ck_assert_uint_ne(timers_next(&worker_at(1)->timers), UINT64_MAX);
	fixture_fire_timers();
	fixture_turns(1);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "begin a@1 1000us, more a@1 1000us, "
				       "restore a@1, reply a@0");
	tear_down();
}
END_TEST

START_TEST(a_stolen_run_is_answered_where_it_came_in)
{
	set_up(2);
	steal("a", "##ze");
	ck_assert_str_eq(fake_trace(), "begin a@1 1000us, more a@1 500us");
	ck_assert(fixture_run_work());
	/* it sleeps, and wakes on the thief */
	fixture_turns(1);
	fixture_fire_timers();
	fixture_turns(1);
	ck_assert_str_eq(fake_trace(), "more a@o 10000us, more a@1 1000us");
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "reply a@0");
	/* and the thief has its vm restored by an offload thread */
	ck_assert(fixture_run_work());
	ck_assert_str_eq(fake_trace(), "restore a@o");
	tear_down();
}
END_TEST

START_TEST(the_thief_polls_a_stolen_run)
{
	set_up(2);
	fixture_spec(0)->inline_budget_ns = 100 * NS_PER_S;
	steal("a", "poe");
	ck_assert_ptr_null(worker_at(0)->polled);
	ck_assert_ptr_nonnull(worker_at(1)->polled);
	ck_assert(!worker_is_idle(worker_at(1)));
	fake_engine.polls_end = true;
	fixture_turns(1);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(), "begin a@1 100000000us, restore a@1, "
				       "reply a@0");
	tear_down();
}
END_TEST

START_TEST(a_stolen_invocation_times_out_on_the_thief)
{
	struct call *call;
	struct vm *vm;

	set_up(2);
	fixture_spec(0)->concurrency.queue_timeout_ns = 10 * NS_PER_S;
	fixture_set_vms(0, 1, 0);
	vm = fake_pool_hold(pool_of(0));
	call = steal("a", "e");
	ck_assert_uint_eq(waiting_of(0), 1);
	ck_assert_uint_ne(timers_next(&worker_at(1)->timers), UINT64_MAX);
	fixture_fire_timers();
	ck_assert_uint_eq(waiting_of(0), 0);
	/* the first worker is told by a message */
	ck_assert(!call->has_replied);
	fixture_turns(0);
	ck_assert_int_eq(call->result, -EAGAIN);
	pool_give_back(pool_of(0), vm);
	tear_down();
}
END_TEST

/* Only the thread that joined the line may leave it. */
START_TEST(a_stolen_invocation_does_not_begin_for_a_client_that_has_gone)
{
	struct call *call;
	struct vm *vm;

	set_up(2);
	fixture_set_vms(0, 1, 0);
	vm = fake_pool_hold(pool_of(0));
	call = steal("a", "e");
	invocation_abandon(&call->invocation);
	ck_assert(!call->has_replied);
	ck_assert_uint_eq(waiting_of(0), 1);
	pool_give_back(pool_of(0), vm);
	fixture_turns(1);
	ck_assert(!call->has_replied);
	fixture_turns(0);
	ck_assert_int_eq(call->result, -ECANCELED);
	ck_assert_str_eq(fake_trace(), "refuse a@0");
	ck_assert(fake_pool_is_quiet(pool_of(0)));
	tear_down();
}
END_TEST

/* ---- pools that grow meanwhile ---- */

static uint64_t starts(enum metrics_start start)
{
	return metrics_get(&metrics_of(0)->starts[start]);
}

/* One vm, which is out, and another that can be made. */
static struct vm *set_up_growing(void)
{
	set_up(1);
	fake_engine.grows = true;
	fixture_set_vms(0, 1, 1);
	return fake_pool_hold(pool_of(0));
}

START_TEST(a_vm_is_made_while_its_invocation_waits)
{
	struct vm *vm = set_up_growing();

	call_start(0, 0, "a", "e");
	fixture_turns(0);
	ck_assert_uint_eq(waiting_of(0), 1);
	ck_assert_uint_eq(timers_next(&worker_at(0)->timers), UINT64_MAX);
	ck_assert(fixture_run_work());
	ck_assert_uint_eq(waiting_of(0), 0);
	fixture_turns(0);
	/* it runs where it would have run in a vm that was there */
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0");
	ck_assert_uint_eq(starts(METRICS_SNAPSHOT), 1);
	ck_assert_uint_eq(starts(METRICS_WARM), 0);
	pool_give_back(pool_of(0), vm);
	tear_down();
}
END_TEST

START_TEST(a_vm_that_is_free_sooner_is_taken)
{
	struct vm *vm = set_up_growing();

	call_start(0, 0, "a", "e");
	fixture_turns(0);
	pool_give_back(pool_of(0), vm);
	fixture_turns(0);
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0");
	ck_assert_uint_eq(starts(METRICS_WARM), 1);
	ck_assert_uint_eq(starts(METRICS_SNAPSHOT), 0);
	/* nobody needs the other one */
	ck_assert(fixture_run_work());
	ck_assert(fake_pool_is_quiet(pool_of(0)));
	tear_down();
}
END_TEST

START_TEST(an_invocation_is_told_why_no_vm_is_made)
{
	struct vm *vm = set_up_growing();
	struct call *call = call_start(0, 0, "a", "e");

	fake_engine.take_result = -EBUSY;
	fixture_turns(0);
	ck_assert(fixture_run_work());
	fixture_turns(0);
	ck_assert(!call->has_replied);
	/* it makes one itself */
	ck_assert(fixture_run_work());
	fixture_turns(0);
	ck_assert_int_eq(call->result, -EBUSY);
	pool_give_back(pool_of(0), vm);
	tear_down();
}
END_TEST

START_TEST(a_vm_is_not_made_for_a_client_that_has_gone)
{
	struct vm *vm = set_up_growing();
	struct call *call = call_start(0, 0, "a", "e");

	fixture_turns(0);
	invocation_abandon(&call->invocation);
	fixture_turns(0);
	ck_assert_int_eq(call->result, -ECANCELED);
	ck_assert(fixture_run_work());
	pool_give_back(pool_of(0), vm);
	ck_assert(fake_pool_is_quiet(pool_of(0)));
	tear_down();
}
END_TEST

/* ---- draining ---- */

static bool is_idle(unsigned index)
{
	return worker_is_idle(worker_at(index));
}

START_TEST(a_worker_is_idle_when_all_is_answered)
{
	set_up(1);
	worker_drain(fixture.worker);
	ck_assert(is_idle(0));
	call_start(0, 0, "a", "##zze");
	ck_assert(!is_idle(0)); /* in the queue */
	fixture_turns(0);
	ck_assert(!is_idle(0)); /* offloaded */
	ck_assert(fixture_run_work());
	ck_assert(!is_idle(0)); /* on its way to its timer */
	fixture_turns(0);
	ck_assert(!is_idle(0)); /* asleep */
	fixture_fire_timers();
	ck_assert(!is_idle(0)); /* in the queue again */
	fixture_turns(0);
	fixture_fire_timers();
	fixture_turns(0);
	ck_assert(is_idle(0));
	tear_down();
}
END_TEST

START_TEST(a_worker_is_idle_when_nobody_waits_for_a_vm)
{
	struct vm *vm;

	set_up(1);
	fixture_set_vms(0, 1, 0);
	vm = fake_pool_hold(pool_of(0));
	call_start(0, 0, "a", "e");
	worker_drain(fixture.worker);
	fixture_turns(0);
	ck_assert(!is_idle(0));
	pool_give_back(pool_of(0), vm);
	ck_assert(!is_idle(0));
	fixture_turns(0);
	ck_assert(is_idle(0));
	ck_assert_str_eq(fake_trace(),
			 "begin a@0 1000us, reply a@0, restore a@0");
	tear_down();
}
END_TEST

START_TEST(a_worker_is_idle_when_nothing_is_polled)
{
	set_up(1);
	fixture_spec(0)->inline_budget_ns = 100 * NS_PER_S;
	call_start(0, 0, "a", "poe");
	worker_drain(fixture.worker);
	fixture_turns(0);
	ck_assert(!is_idle(0));
	fake_engine.polls_end = true;
	fixture_turns(0);
	ck_assert(is_idle(0));
	tear_down();
}
END_TEST

START_TEST(a_worker_is_idle_when_the_stolen_are_answered)
{
	set_up(2);
	sleep_worker(1);
	call_start(0, 0, "a", "e");
	call_start(0, 0, "b", "e");
	worker_drain(worker_at(0));
	worker_drain(worker_at(1));
	fixture_turns(0);
	ck_assert(!is_idle(0)); /* on its way to the other one */
	worker_turn(worker_at(1), 0);
	ck_assert(!is_idle(1)); /* in its queue */
	fixture_turns(1);
	ck_assert(is_idle(1));
	ck_assert(!is_idle(0)); /* on its way back */
	fixture_turns(0);
	ck_assert(is_idle(0));
	tear_down();
}
END_TEST

/* ---- connections of a worker that drains ---- */

#define HTTP_REQUEST \
	"POST /function/function HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"

static struct io_stream *send_http(void)
{
	struct io_stream *stream = fixture_open(LISTENER_HTTP);

	ck_assert(fixture_receive(stream, HTTP_REQUEST,
				  sizeof(HTTP_REQUEST) - 1));
	return stream;
}

static struct io_stream *send_frame(void)
{
	static const struct frame_request frame = { .id = 7,
						    .function = "function" };
	struct io_stream *stream = fixture_open(LISTENER_SOCKET);
	char head[FRAME_HEAD_MAX];
	int size = frame_write_request(&frame, head);

	ck_assert_int_gt(size, 0);
	ck_assert(fixture_receive(stream, head, (size_t)size));
	return stream;
}

/* The tests of connections run once for each kind. */
static const struct {
	enum listener_kind listener;
	struct io_stream *(*send)(void);
	bool is_closed_at_once; /* after its last reply, else after a moment */
} kinds[] = {
	{ LISTENER_HTTP, send_http, true },
	{ LISTENER_SOCKET, send_frame, false },
};
#define KINDS ((int)(sizeof(kinds) / sizeof(*kinds)))

/* The run ends, the client takes its reply, and the connection closes. */
static void take_last(struct io_stream *stream, bool is_closed_at_once)
{
	ck_assert(fixture_run_work());
	fixture_turns(0);
	ck_assert_uint_eq(outcomes_of(0, METRICS_OK), 1);
	ck_assert(!is_idle(0));
	ck_assert(fixture_sent(stream, 0));
	fixture_turns(0);
	ck_assert(is_idle(0) == is_closed_at_once);
	fixture_fire_timers();
	fixture_turns(0);
	ck_assert(is_idle(0));
}

START_TEST(a_draining_worker_answers_what_runs)
{
	struct io_stream *stream;

	set_up(1);
	stream = kinds[_i].send();
	fixture_turns(0);
	ck_assert_uint_eq(fake_engine.running, 1);
	worker_drain(fixture.worker);
	fixture_turns(0);
	ck_assert_uint_eq(fixture.worker->connection_count, 1);
	take_last(stream, kinds[_i].is_closed_at_once);
	tear_down();
}
END_TEST

/* What has come and waits for its turn. */
START_TEST(a_draining_worker_answers_what_waits)
{
	struct io_stream *stream;

	set_up(1);
	stream = kinds[_i].send();
	ck_assert_uint_eq(fixture.worker->queue.count, 1);
	worker_drain(fixture.worker);
	fixture_turns(0);
	take_last(stream, kinds[_i].is_closed_at_once);
	tear_down();
}
END_TEST

/* What comes when it has begun to drain. */
START_TEST(a_draining_worker_answers_what_comes)
{
	struct io_stream *stream;

	set_up(1);
	worker_drain(fixture.worker);
	stream = kinds[_i].send();
	fixture_turns(0);
	take_last(stream, kinds[_i].is_closed_at_once);
	tear_down();
}
END_TEST

START_TEST(a_draining_worker_closes_idle_connections)
{
	set_up(1);
	/* longer than the timers that are fired here */
	fixture.server->shared.options.idle_timeout_ns = 60 * NS_PER_S;
	fixture_open(kinds[_i].listener);
	fixture_turns(0);
	fixture_fire_timers();
	ck_assert(!is_idle(0));
	worker_drain(fixture.worker);
	fixture_turns(0);
	ck_assert(!is_idle(0));
	fixture_fire_timers();
	fixture_turns(0);
	ck_assert(is_idle(0));
	tear_down();
}
END_TEST

static TCase *make_tests(void)
{
	TCase *tests = tcase_create("invocation_workers");

	tcase_add_test(tests, replies_are_submitted_together);
	tcase_add_loop_test(tests, a_reply_does_not_wait_for_a_long_run, 0, 2);
	tcase_add_test(tests, a_sleeping_worker_steals_the_next_invocation);
	tcase_add_test(tests, the_only_invocation_is_not_stolen);
	tcase_add_test(tests, a_busy_worker_steals_nothing);
	tcase_add_test(tests, each_sleeping_worker_steals_one);
	tcase_add_test(tests, a_stolen_run_sleeps_on_the_thief);
	tcase_add_test(tests, a_stolen_run_is_answered_where_it_came_in);
	tcase_add_test(tests, the_thief_polls_a_stolen_run);
	tcase_add_test(tests, a_stolen_invocation_times_out_on_the_thief);
	tcase_add_test(
		tests,
		a_stolen_invocation_does_not_begin_for_a_client_that_has_gone);
	tcase_add_test(tests, a_vm_is_made_while_its_invocation_waits);
	tcase_add_test(tests, a_vm_that_is_free_sooner_is_taken);
	tcase_add_test(tests, an_invocation_is_told_why_no_vm_is_made);
	tcase_add_test(tests, a_vm_is_not_made_for_a_client_that_has_gone);
	tcase_add_test(tests, a_worker_is_idle_when_all_is_answered);
	tcase_add_test(tests, a_worker_is_idle_when_nobody_waits_for_a_vm);
	tcase_add_test(tests, a_worker_is_idle_when_nothing_is_polled);
	tcase_add_test(tests, a_worker_is_idle_when_the_stolen_are_answered);
	tcase_add_loop_test(tests, a_draining_worker_answers_what_runs, 0,
			    KINDS);
	tcase_add_loop_test(tests, a_draining_worker_answers_what_waits, 0,
			    KINDS);
	tcase_add_loop_test(tests, a_draining_worker_answers_what_comes, 0,
			    KINDS);
	tcase_add_loop_test(tests, a_draining_worker_closes_idle_connections, 0,
			    KINDS);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("invocation_workers");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, make_tests());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
