/*
 * test_polled.c - what polled dispatch promises, whatever functions, callers and CPUs
 * do. The other tests run in every dispatch, and show that nothing of an invocation
 * reaches the next one.
 */
#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/invoke_state.h"
#include "snapshot/gate.h"
#include "snapshot/tracker.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/polled.h"
#include "vm/poll.h"
#include "vm/poll_cores.h"
#include "vm/stats.h"

#define CALLS 200
#define BATCH 10
#define PATIENCE_NS (10 * NS_PER_S)

static const char polled[] = "\"dispatch\":\"polled\"";
static const char cooperative[] =
	"\"dispatch\":\"polled\",\"isolation\":\"cooperative\"";
static const struct engine_options poll_always = {
	.poll_wait_ns = POLL_WAIT_MAX_NS,
};

static void expect_good(struct thaw *thaw, const char *function)
{
	ck_assert_str_eq(call_once(thaw, function, "good"), "pristine");
}

/* The vm that the next invocation will get. */
static struct vm *next_vm(struct thaw *thaw, const char *function)
{
	struct thaw_reply reply;
	struct vm *vm;

	call(thaw, function, "good", 0, &reply);
	vm = invoke_state(&reply)->vm;
	thaw_reply_release(&reply);
	return vm;
}

static bool comes_to_rest(const struct vm *vm)
{
	const uint64_t end_ns = clock_now_ns() + PATIENCE_NS;

	while (poll_is_running(vm) && clock_now_ns() < end_ns)
		usleep(1000);
	return !poll_is_running(vm);
}

START_TEST(invocations_are_polled)
{
	/* the guest waits as long as the host may be kept from the CPU */
	static const struct engine_options patient = {
		.poll_wait_ns = PATIENCE_NS,
	};
	struct thaw *thaw =
		open_hostile(&patient, 1, _i ? cooperative : polled);
	struct thaw_stats stats;

	for (int i = 0; i < CALLS; i++)
		expect_good(thaw, "a");
	stats = stats_of(thaw, "a");
	ck_assert_str_eq(stats.dispatch, "polled");
	ck_assert_str_eq(stats.isolation, _i ? "cooperative" : "strict");
	ck_assert_str_eq(stats.no_gate, "");
	if (_i)
		ck_assert_str_eq(stats.gate, "user");
	else
		ck_assert(!strcmp(stats.gate, "call") ||
			  !strcmp(stats.gate, "trap"));
	ck_assert(stats.is_polled);
	ck_assert_uint_eq(stats.polled, CALLS);
	ck_assert_uint_eq(stats.exited, 0);
	ck_assert_uint_eq(stats.to_polled, 1);
	ck_assert_uint_eq(stats.to_exit, 0);
	thaw_close(thaw);
}
END_TEST

START_TEST(the_control_page_is_not_the_functions)
{
	struct thaw *thaw = open_hostile(&poll_always, 1, polled);
	static const char *const attempts[] = { "write_go", "write_done",
						"read_done" };

	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		const char *text = call_once(thaw, "a", attempts[i]);

		ck_assert_msg(!fnmatch("Runtime.Fault: page fault *0x8000100*",
				       text, 0),
			      "%s: %s", attempts[i], text);
		expect_good(thaw, "a");
	}
	thaw_close(thaw);
}
END_TEST

/* In every dispatch. Without a control page, the gate itself faults. */
START_TEST(the_gate_entered_by_force_ends_the_invocation)
{
	static const char *const ways[] = { polled, cooperative,
					    "\"dispatch\":\"exit\"",
					    "\"dispatch\":\"auto\"" };
	struct thaw *thaw = open_hostile(&poll_always, 1, ways[_i]);

	for (int i = 0; i < 20; i++) {
		struct thaw_reply reply;

		call(thaw, "a", "enter_gate", 0, &reply);
		ck_assert_msg(reply.result == THAW_OK ||
				      reply.result == THAW_FAULT,
			      "%s", outcome(&reply));
		thaw_reply_release(&reply);
		expect_good(thaw, "a");
	}
	thaw_close(thaw);
}
END_TEST

/*
 * In the cooperative isolation a function may say that it is done and go on. It
 * fails itself, now or later, and no other; and once it has been stopped for
 * that, its next invocation is clean.
 */
START_TEST(a_cooperative_function_that_lies_harms_itself)
{
	struct thaw_reply reply;
	struct thaw *thaw;
	unsigned lies = 0;

	thaw_set_polling_cores(1);
	thaw = open_hostile(&poll_always, 2, cooperative);
	for (int i = 0; i < 6; i++) {
		bool is_believed;
		struct vm *vm;

		call(thaw, "a", "lie", 50 * NS_PER_MS, &reply);
		vm = invoke_state(&reply)->vm;
		is_believed = reply.result == THAW_OK;
		lies += is_believed;
		thaw_reply_release(&reply);
		/* and it does not keep its core when there is nothing to do */
		if (i % 2)
			ck_assert(comes_to_rest(vm));
		call(thaw, "a", "good", 50 * NS_PER_MS, &reply);
		ck_assert_int_eq(reply.result,
				 is_believed ? THAW_TIMEOUT : THAW_OK);
		vm = invoke_state(&reply)->vm;
		thaw_reply_release(&reply);
		/* one that has served keeps its core while it waits */
		if (!is_believed)
			ck_assert(comes_to_rest(vm));
		expect_good(thaw, "b");
		ck_assert_msg(stats_of(thaw, "b").is_polled,
			      "the liar keeps the core");
		ck_assert(comes_to_rest(next_vm(thaw, "b")));
		expect_good(thaw, "a");
	}
	ck_assert_uint_ge(lies, 1);
	thaw_close(thaw);
}
END_TEST

START_TEST(a_done_said_too_early_does_not_count)
{
	struct thaw *thaw = open_hostile(&poll_always, 1, cooperative);
	struct thaw_reply reply;

	for (int i = 0; i < 20; i++) {
		call(thaw, "a", "claim_next", 0, &reply);
		ck_assert_int_eq(reply.result, THAW_FAULT);
		thaw_reply_release(&reply);
		expect_good(thaw, "a");
		expect_good(thaw, "a");
	}
	thaw_close(thaw);
}
END_TEST

static void *spin(void *thaw)
{
	struct thaw_reply reply;

	call(thaw, "a", "spin", 300 * NS_PER_MS, &reply);
	ck_assert_int_eq(reply.result, THAW_TIMEOUT);
	thaw_reply_release(&reply);
	return NULL;
}

START_TEST(a_function_that_never_returns_leaves_others_their_exits)
{
	struct thaw *thaw;
	pthread_t spinner;
	struct thaw_stats stats;

	thaw_set_polling_cores(1);
	thaw = open_hostile(&poll_always, 2, polled);
	expect_good(thaw, "b");
	ck_assert(comes_to_rest(next_vm(thaw, "b")));
	expect_good(thaw, "a");
	pthread_create(&spinner, NULL, spin, thaw);
	usleep(50000);
	for (int i = 0; i < 20; i++)
		expect_good(thaw, "b");
	stats = stats_of(thaw, "b");
	pthread_join(spinner, NULL);
	ck_assert_uint_ge(stats.no_core, 1);
	expect_good(thaw, "a");
	thaw_close(thaw);
}
END_TEST

START_TEST(more_functions_than_cores_are_all_served)
{
	struct thaw *thaw = open_hostile(&poll_always, 8, polled);

	for (int i = 0; i < CALLS; i++)
		expect_good(thaw, (const char[]){ 'a' + (char)(i % 8), 0 });
	thaw_close(thaw);
}
END_TEST

START_TEST(without_cores_dispatch_is_by_exit_and_says_so)
{
	struct thaw *thaw;
	struct thaw_stats stats;
	cpu_set_t one;

	poll_cores_assume(0);
	if (_i) {
		CPU_ZERO(&one);
		CPU_SET((unsigned)sched_getcpu(), &one);
		sched_setaffinity(0, sizeof(one), &one);
	} else {
		thaw_set_polling_cores(0);
	}
	thaw = open_hostile(&poll_always, 1, polled);
	for (int i = 0; i < 10; i++)
		expect_good(thaw, "a");
	stats = stats_of(thaw, "a");
	ck_assert_str_eq(stats.gate, "none");
	ck_assert_ptr_nonnull(strstr(stats.no_gate, "second CPU"));
	ck_assert_uint_eq(stats.polled, 0);
	ck_assert_uint_eq(stats.exited, 10);
	thaw_close(thaw);
}
END_TEST

/* As when the other CPUs are unplugged. */
START_TEST(cpus_that_go_away_leave_exits)
{
	struct thaw *thaw = open_hostile(&poll_always, 1, polled);
	struct thaw_stats stats;
	cpu_set_t one;

	expect_good(thaw, "a");
	ck_assert(comes_to_rest(next_vm(thaw, "a")));
	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	poll_cores_assume(0);
	for (int i = 0; i < 10; i++)
		expect_good(thaw, "a");
	stats = stats_of(thaw, "a");
	ck_assert(!stats.is_polled);
	ck_assert_uint_eq(stats.exited, 10);
	ck_assert_uint_eq(stats.no_core, 10);
	thaw_close(thaw);
}
END_TEST

/* As in a server with a worker for each CPU, or more. */
START_TEST(auto_waits_on_spare_cores_only)
{
	struct thaw *thaw;
	struct thaw_stats stats;

	poll_cores_assume(0);
	poll_cores_reserve(CPU_SETSIZE);
	if (!poll_cores()) {
		printf("skip: spare cores: there is one CPU\n");
		return;
	}
	thaw = open_hostile(&poll_always, 1,
			    _i ? polled : "\"dispatch\":\"auto\"");
	for (int i = 0; i < CALLS; i++)
		expect_good(thaw, "a");
	stats = stats_of(thaw, "a");
	ck_assert_int_eq(!strcmp(stats.gate, "none"), !_i);
	ck_assert_int_eq(strstr(stats.no_gate, "no core is spare") != NULL,
			 !_i);
	ck_assert_uint_eq(stats.exited, _i ? 0 : CALLS);
	thaw_close(thaw);
}
END_TEST

/* A debugger, a freezer, a shell's job control. */
START_TEST(a_process_that_is_stopped_loses_no_core)
{
	const struct engine_options wait_long = { .poll_wait_ns = NS_PER_S };
	const pid_t me = getpid();
	struct thaw *thaw;
	struct vm *vm;
	pid_t child;

	thaw_set_polling_cores(1);
	thaw = open_hostile(&wait_long, 2, _i ? cooperative : polled);
	vm = next_vm(thaw, "a");
	child = fork();
	if (!child) {
		kill(me, SIGSTOP);
		usleep(10000);
		kill(me, SIGCONT);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	usleep(50000);
	if (poll_is_running(vm)) {
		printf("skip: a stopped process: the vcpu waits on\n");
	} else {
		expect_good(thaw, "b");
		ck_assert_uint_eq(stats_of(thaw, "b").no_core, 0);
	}
	thaw_close(thaw);
}
END_TEST

/* The instruction that enters a gate is a fault where there is no gate. */
START_TEST(without_a_gate_a_breakpoint_is_what_it_is)
{
	struct thaw *with, *without;
	char text[256];

	poll_cores_assume(0);
	thaw_set_polling_cores(0);
	with = open_hostile(&poll_always, 1, "\"dispatch\":\"exit\"");
	without = open_hostile(&poll_always, 1, polled);
	snprintf(text, sizeof(text), "%s", call_once(with, "a", "breakpoint"));
	ck_assert_str_eq(call_once(without, "a", "breakpoint"), text);
	expect_good(without, "a");
	thaw_close(with);
	thaw_close(without);
}
END_TEST

START_TEST(cores_can_be_taken_back)
{
	const struct engine_options wait_long = { .poll_wait_ns = NS_PER_S };
	struct thaw *thaw = open_hostile(&wait_long, 1, polled);

	expect_good(thaw, "a");
	ck_assert(stats_of(thaw, "a").is_polled);
	poll_cores_assume(0);
	thaw_set_polling_cores(0);
	expect_good(thaw, "a");
	ck_assert(!stats_of(thaw, "a").is_polled);
	thaw_close(thaw);
}
END_TEST

START_TEST(a_function_without_the_ring_has_no_gate)
{
	struct engine_options options = poll_always;
	struct thaw_stats stats;
	struct thaw *thaw;

	options.dirty = "bitmap";
	thaw = open_hostile(&options, 1, polled);
	expect_good(thaw, "a");
	stats = stats_of(thaw, "a");
	ck_assert_str_eq(stats.gate, "none");
	ck_assert_ptr_nonnull(strstr(stats.no_gate, "dirty ring"));
	thaw_close(thaw);
}
END_TEST

/* When the wait is over, neither the vcpu nor another thread runs. */
START_TEST(an_idle_function_uses_no_cpu)
{
	struct thaw *thaw =
		open_hostile(&poll_always, 1, _i ? cooperative : polled);
	uint64_t before, after;
	struct vm *vm;

	for (int i = 0; i < CALLS; i++)
		expect_good(thaw, "a");
	vm = next_vm(thaw, "a");
	ck_assert(comes_to_rest(vm));
	if (vm_stat(vm, "exits", &before)) {
		printf("skip: exits of an idle vcpu: this KVM tells none\n");
	} else {
		usleep(300000);
		ck_assert_int_eq(vm_stat(vm, "exits", &after), 0);
		ck_assert_uint_eq(after, before);
	}
	ck_assert(!poll_is_running(vm));
	expect_good(thaw, "a");
	thaw_close(thaw);
}
END_TEST

static int start_good(struct thaw *thaw, struct thaw_reply *reply)
{
	static const struct thaw_invoke_request request = { .data = "good",
							    .size = 4 };
	struct thaw_error error;
	int r = thaw_start(thaw, "a", &request, &error, reply);

	ck_assert_msg(r >= 0, "%s", error.message);
	return r;
}

static void collect(struct thaw_reply *reply)
{
	const uint64_t end_ns = clock_now_ns() + PATIENCE_NS;
	struct thaw_error error;
	int r;

	while (!(r = thaw_poll(reply, &error)) && clock_now_ns() < end_ns)
		sched_yield();
	ck_assert_msg(r == 1, "%d %s", r, r < 0 ? error.message : "");
	ck_assert_str_eq(outcome(reply), "pristine");
	/* and so it stays */
	ck_assert_int_eq(thaw_poll(reply, &error), 1);
	thaw_reply_release(reply);
}

START_TEST(a_caller_may_be_slow_to_collect)
{
	struct thaw *thaw =
		open_hostile(&poll_always, 1, _i ? cooperative : polled);
	struct thaw_reply replies[2];

	expect_good(thaw, "a");
	for (int i = 0; i < 5; i++) {
		/* there is no core for the second, which has ended when this returns */
		thaw_set_polling_cores(1);
		start_good(thaw, &replies[0]);
		start_good(thaw, &replies[1]);
		usleep(20000);
		collect(&replies[1]);
		collect(&replies[0]);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_reply_may_be_given_up)
{
	struct thaw *thaw =
		open_hostile(&poll_always, 1, _i ? cooperative : polled);
	struct thaw_reply reply;
	struct thaw_error error;

	for (int i = 0; i < 20; i++) {
		start_good(thaw, &reply);
		thaw_reply_release(&reply);
		ck_assert_int_eq(thaw_poll(&reply, &error), -EINVAL);
		expect_good(thaw, "a");
	}
	thaw_close(thaw);
}
END_TEST

static void *start_and_die(void *arguments)
{
	void **argument = arguments;

	start_good(argument[0], argument[1]);
	return NULL;
}

START_TEST(a_caller_may_die)
{
	struct thaw *thaw = open_hostile(&poll_always, 1, polled);
	struct thaw_reply reply;
	void *arguments[] = { thaw, &reply };

	expect_good(thaw, "a");
	for (int i = 0; i < 20; i++) {
		pthread_t caller;

		pthread_create(&caller, NULL, start_and_die, arguments);
		pthread_join(caller, NULL);
		collect(&reply);
		expect_good(thaw, "a");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_deadline_holds_for_what_was_started)
{
	static const struct thaw_invoke_request request = {
		.data = "spin", .size = 4, .timeout_ns = 5 * NS_PER_MS
	};
	struct thaw *thaw =
		open_hostile(&poll_always, 1, _i ? cooperative : polled);
	struct thaw_reply reply;
	struct thaw_error error;

	for (int i = 0; i < 20; i++) {
		int r = thaw_start(thaw, "a", &request, &error, &reply);

		while (!r)
			r = thaw_poll(&reply, &error);
		ck_assert_int_eq(r, 1);
		ck_assert_int_eq(reply.result, THAW_TIMEOUT);
		thaw_reply_release(&reply);
		expect_good(thaw, "a");
	}
	thaw_close(thaw);
}
END_TEST

/* Calls until the function is dispatched like that, or for too long. */
static bool becomes(struct thaw *thaw, bool is_polled, useconds_t pause)
{
	const uint64_t end_ns = clock_now_ns() + PATIENCE_NS;

	do {
		expect_good(thaw, "a");
		if (stats_of(thaw, "a").is_polled == is_polled)
			return true;
		if (pause)
			usleep(pause);
	} while (clock_now_ns() < end_ns);
	return false;
}

/*
 * What passes between two invocations of becomes(), from end to start, on the
 * average of a few while nothing else takes the CPU.
 */
static uint64_t usual_gap_ns(struct thaw *thaw)
{
	uint64_t least_ns = UINT64_MAX;

	for (int i = 0; i < CALLS / BATCH; i++) {
		const uint64_t start_ns = clock_now_ns();
		uint64_t run_ns = 0, gap_ns;
		struct thaw_reply reply;

		for (int j = 0; j < BATCH; j++) {
			call(thaw, "a", "good", 0, &reply);
			run_ns += reply.run_ns;
			thaw_reply_release(&reply);
			stats_of(thaw, "a");
		}
		gap_ns = (clock_now_ns() - start_ns - run_ns) / BATCH;
		if (gap_ns < least_ns)
			least_ns = gap_ns;
	}
	return least_ns;
}

START_TEST(auto_follows_the_rate)
{
	const struct engine_options options = { .dirty = "ring" };
	struct thaw *thaw = open_hostile(&options, 1,
					 _i ? "\"dispatch\":\"auto\"" : polled);
	struct thaw_stats stats;
	uint64_t gap_ns = usual_gap_ns(thaw);
	/* there, both times are a matter of luck */
	const bool is_emulated = getenv("TEST_EMULATED");

	stats = stats_of(thaw, "a");
	if (_i && (is_emulated || gap_ns * 2 > stats.saving_ns)) {
		printf("skip: auto: an exit saves %llu ns here, and it takes us "
		       "%llu to come back\n",
		       (unsigned long long)stats.saving_ns,
		       (unsigned long long)gap_ns);
		thaw_close(thaw);
		return;
	}
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert(becomes(thaw, true, 0));
		ck_assert(becomes(thaw, false, 5000));
		stats = stats_of(thaw, "a");
		ck_assert_uint_ge(stats.to_polled, i);
		ck_assert_uint_ge(stats.to_exit, i);
	}
	thaw_close(thaw);
}
END_TEST

static void *invoke_many(void *thaw)
{
	for (int i = 0; i < CALLS; i++)
		expect_good(thaw, i % 2 ? "a" : "b");
	return NULL;
}

/* Vms go from thread to thread, and so do the cores. */
START_TEST(threads_share_vms_and_cores)
{
	struct thaw *thaw =
		open_hostile(&poll_always, 2, _i ? cooperative : polled);
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, invoke_many, thaw);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	thaw_close(thaw);
}
END_TEST

/* In a child: it starts the watchdog, and who forks the tests is to have no threads. */
static bool tables_work(void)
{
	const pid_t child = fork();
	int status = -1;

	if (!child)
		_exit(tracker_try_tables(NULL) != 0);
	waitpid(child, &status, 0);
	return !status;
}

int main(void)
{
	Suite *suite = suite_create("polled");
	TCase *group = tcase_create("polled");
	const char *tracker = getenv("TEST_TRACKER");

	if (tracker && !strcmp(tracker, "tables") && !tables_work()) {
		printf("skip: page tables: they do not tell here\n");
		return 77;
	}
	tcase_set_timeout(group, 60);
	if (backend_count() > 1) /* else it is for want of the dirty ring */
		tcase_add_loop_test(
			group, without_cores_dispatch_is_by_exit_and_says_so, 0,
			2);
	tcase_add_loop_test(group,
			    the_gate_entered_by_force_ends_the_invocation, 0,
			    4);
	tcase_add_test(group, without_a_gate_a_breakpoint_is_what_it_is);
	if (backend_count() == 4) {
		tcase_add_loop_test(group, invocations_are_polled, 0, 2);
		tcase_add_test(group, the_control_page_is_not_the_functions);
		tcase_add_test(group,
			       a_cooperative_function_that_lies_harms_itself);
		tcase_add_test(
			group,
			a_function_that_never_returns_leaves_others_their_exits);
		tcase_add_test(group, more_functions_than_cores_are_all_served);
		tcase_add_test(group, a_done_said_too_early_does_not_count);
		tcase_add_test(group, cores_can_be_taken_back);
		tcase_add_loop_test(group, a_reply_may_be_given_up, 0, 2);
		tcase_add_loop_test(group,
				    a_process_that_is_stopped_loses_no_core, 0,
				    2);
		tcase_add_test(group, cpus_that_go_away_leave_exits);
		tcase_add_loop_test(group, auto_waits_on_spare_cores_only, 0,
				    2);
		tcase_add_test(group, a_function_without_the_ring_has_no_gate);
		tcase_add_loop_test(group, an_idle_function_uses_no_cpu, 0, 2);
		tcase_add_loop_test(group, a_caller_may_be_slow_to_collect, 0,
				    2);
		tcase_add_test(group, a_caller_may_die);
		tcase_add_loop_test(group,
				    a_deadline_holds_for_what_was_started, 0,
				    2);
		tcase_add_loop_test(group, auto_follows_the_rate, 0, 2);
		tcase_add_loop_test(group, threads_share_vms_and_cores, 0, 2);
	}
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
