/*
 * test_slices.c - an invocation is stopped where it is and continues on another
 * thread; and a caller that stands in line for a vm need not block.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "executor/catalog.h"
#include "executor/function.h"
#include "executor/invoke.h"
#include "executor/invoke_typed.h"
#include "snapshot/restore.h"
#include "tests/contract/support/guests.h"

/* One function of tests/guest, deployed without libthaw. */
static struct catalog *catalog;

static struct function *deploy(const char *guest, const char *entry,
			       const char *more)
{
	static const struct function_options options = { .dirty = DIRTY_AUTO,
							 .verify = true };
	struct function *function;
	struct error err;
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"version\":1,\"functions\":[{\"name\":\"f\",\"image\":"
		 "\"%s/%s.elf\",\"entry\":\"%s\",\"memory\":\"4MiB\","
		 "\"max_request\":\"4KiB\",\"max_reply\":\"4KiB\","
		 "\"timeout\":\"10s\"%s}]}",
		 TEST_GUESTS, guest, entry, more);
	ck_assert_msg(!catalog_parse(text, strlen(text), "t", &err, &catalog),
		      "%s", err.message);
	ck_assert_msg(!function_deploy(catalog->functions, &options, &err,
				       &function),
		      "%s", err.message);
	return function;
}

static void undeploy(struct function *function)
{
	function_free(function);
	catalog_free(catalog);
}

static struct vm *take(struct function *function)
{
	struct error err;
	struct vm *vm;

	ck_assert_int_eq(pool_acquire(function->pool, &err, &vm), 0);
	return vm;
}

/* Begins an invocation in a vm of the pool. */
static int begin(struct function *function,
		 const struct thaw_invoke_request *request, uint64_t start_ns,
		 uint64_t slice_ns, struct error *err, struct thaw_reply *reply)
{
	ck_assert_int_eq(invoke_typed_make(function, request, err, reply), 0);
	return invoke_on(function, take(function), request, start_ns, slice_ns,
			 err, reply);
}

static void *finish(void *cookie)
{
	struct error err;

	return (void *)(intptr_t)invoke_wait(cookie, &err);
}

#define STOPPED_RUNS 20
#define RUNS_MAX 500

/*
 * Spins for 20 ms of the guest's own clock, stopped every millisecond. A run whose
 * stops come late, on a machine that is busy, may be over before the fourth.
 */
START_TEST(a_run_goes_on_where_its_slice_ended_on_any_thread)
{
	struct function *function = deploy("edges", "spin_ms", "");
	const struct thaw_invoke_request request = { .data = "20", .size = 2 };
	struct thaw_reply reply;
	struct error err;
	pthread_t thread;
	int stopped = 0, r;
	void *result;

	for (int i = 0; i < RUNS_MAX && stopped < STOPPED_RUNS; i++) {
		r = begin(function, &request, clock_now_ns(), NS_PER_MS, &err,
			  &reply);
		for (int slices = 1; !r && slices < 4; slices++)
			r = invoke_more(&reply, NS_PER_MS, &err);
		ck_assert_int_ge(r, 0);
		if (!r) {
			stopped++;
			pthread_create(&thread, NULL, finish, &reply);
			pthread_join(thread, &result);
			ck_assert_int_eq((int)(intptr_t)result, 0);
		}
		ck_assert_int_eq(reply.result, THAW_OK);
		ck_assert_uint_ge(reply.run_ns, 20 * NS_PER_MS);
		invoke_release(&reply);
	}
	ck_assert_int_eq(stopped, STOPPED_RUNS);
	undeploy(function);
}
END_TEST

START_TEST(a_slice_that_is_long_enough_is_all_it_takes)
{
	struct function *function = deploy("edges", "spin_ms", "");
	const struct thaw_invoke_request request = { .data = "1", .size = 1 };
	struct thaw_reply reply;
	struct error err;

	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(begin(function, &request, clock_now_ns(),
				       60 * NS_PER_S, &err, &reply),
				 1);
		invoke_release(&reply);
	}
	undeploy(function);
}
END_TEST

/* Its deadline strikes in whatever slice it is. */
START_TEST(slices_do_not_move_the_deadline)
{
	struct function *function = deploy("edges", "spin_ms", "");
	const struct thaw_invoke_request request = {
		.data = "9000", .size = 4, .timeout_ns = 10 * NS_PER_MS
	};
	struct thaw_reply reply;
	struct error err;
	int r = begin(function, &request, clock_now_ns(), NS_PER_MS, &err,
		      &reply);

	while (!r)
		r = invoke_more(&reply, NS_PER_MS, &err);
	ck_assert_int_eq(r, 1);
	ck_assert_int_eq(reply.result, THAW_TIMEOUT);
	ck_assert_uint_ge(reply.run_ns, 10 * NS_PER_MS);
	invoke_release(&reply);
	undeploy(function);
}
END_TEST

/* A sleep ends the slice: the run is not over, and says when it goes on. */
START_TEST(a_function_that_sleeps_does_not_use_its_slice_up)
{
	struct function *function = deploy("edges", "sleep_ms", "");
	const struct thaw_invoke_request request = { .data = "50", .size = 2 };
	struct thaw_reply reply;
	struct error err;
	uint64_t start_ns = clock_now_ns();

	ck_assert_int_eq(begin(function, &request, start_ns, 10 * NS_PER_S,
			       &err, &reply),
			 0);
	ck_assert_uint_ge(invoke_wake_ns(&reply), start_ns + 50 * NS_PER_MS);
	ck_assert_int_eq(invoke_wait(&reply, &err), 0);
	ck_assert_int_eq(reply.result, THAW_OK);
	invoke_release(&reply);
	undeploy(function);
}
END_TEST

/* The caller takes a typed result, on any thread and when it likes. */
START_TEST(a_typed_result_is_left_to_the_caller)
{
	struct function *function = deploy("typed", "same_string", "");
	const struct thaw_invoke_request request = { .data = "[\"yes\"]",
						     .size = 7 };
	struct thaw_reply reply;
	struct error err;
	void *memory;

	ck_assert_int_eq(begin(function, &request, clock_now_ns(),
			       60 * NS_PER_S, &err, &reply),
			 1);
	ck_assert(invoke_typed_is_due(&reply));
	ck_assert_uint_eq(reply.size, 24 + 16 + 8);
	ck_assert_ptr_null(invoke_typed_take_memory(&reply));
	invoke_typed_take(&reply);
	ck_assert(!invoke_typed_is_due(&reply));
	memory = invoke_typed_take_memory(&reply);
	ck_assert_ptr_eq(memory, reply.data);
	invoke_release(&reply);
	/* the memory is the caller's now */
	ck_assert_mem_eq(memory, "{\"result\":\"yes\"}", 16);
	free(memory);
	undeploy(function);
}
END_TEST

/* Appends "TEXT;". */
static void collect(void *cookie, const char *name, enum thaw_level level,
		    const char *text, size_t size)
{
	(void)name;
	(void)level;
	(void)size;
	strcat(strcat(cookie, text), ";");
}

/*
 * Logs a line, begins another one and spins until its timeout. Returns whether the line
 * was there while it ran.
 */
static bool spin_logging(struct function *function, uint64_t timeout_ns)
{
	char lines[64] = "";
	const struct thaw_invoke_request request = {
		.data = "l5nl6S",
		.size = 6,
		.timeout_ns = timeout_ns,
		.log = collect,
		.log_cookie = lines,
	};
	struct thaw_reply reply;
	struct error err;
	bool is_there = false;
	int r = begin(function, &request, clock_now_ns(), NS_PER_MS, &err,
		      &reply);

	while (!r) {
		is_there = is_there || !strcmp(lines, "lllll;");
		r = invoke_more(&reply, NS_PER_MS, &err);
	}
	ck_assert_int_eq(r, 1);
	ck_assert_int_eq(reply.result, THAW_TIMEOUT);
	if (is_there)
		ck_assert_str_eq(lines, "lllll;llllll;");
	invoke_release(&reply);
	return is_there;
}

START_TEST(lines_are_there_when_a_slice_ends)
{
	struct function *function = deploy("edges", "write_lines", "");
	uint64_t timeout_ns = 50 * NS_PER_MS;

	/* a slow machine may not reach the line in so short a time */
	while (!spin_logging(function, timeout_ns)) {
		timeout_ns *= 8;
		ck_assert_uint_lt(timeout_ns, 60 * NS_PER_S);
	}
	undeploy(function);
}
END_TEST

START_TEST(lines_are_there_while_the_function_sleeps)
{
	struct function *function = deploy("edges", "write_lines", "");
	char lines[64] = "";
	const struct thaw_invoke_request request = {
		.data = "l5nl6Z",
		.size = 6,
		.timeout_ns = 2 * NS_PER_S,
		.log = collect,
		.log_cookie = lines,
	};
	struct thaw_reply reply;
	struct error err;

	ck_assert_int_eq(begin(function, &request, clock_now_ns(),
			       10 * NS_PER_S, &err, &reply),
			 0);
	ck_assert_uint_ne(invoke_wake_ns(&reply), 0);
	ck_assert_str_eq(lines, "lllll;");
	ck_assert_int_eq(invoke_wait(&reply, &err), 0);
	ck_assert_int_eq(reply.result, THAW_TIMEOUT);
	ck_assert_str_eq(lines, "lllll;llllll;");
	invoke_release(&reply);
	undeploy(function);
}
END_TEST

static struct pool_waiter *order[4];
static unsigned served_count;

static void note(struct pool_waiter *waiter)
{
	order[served_count++] = waiter;
}

START_TEST(vms_are_handed_out_in_line)
{
	struct function *function =
		deploy("edges", "measure",
		       ",\"concurrency\":{\"max\":1,\"queue\":2}");
	struct pool_waiter a = { .served = note }, b = a, c = a;
	struct pool *pool = function->pool;
	struct error err;
	struct vm *vm, *none;

	ck_assert_int_eq(pool_try(pool, &a, &err, &vm), 0);
	ck_assert_ptr_null(vm); /* ours to make */
	ck_assert_int_eq(pool_take(pool, NULL, &err, &vm), 0);
	ck_assert_int_eq(pool_try(pool, &a, &err, &none), -EAGAIN);
	ck_assert_int_eq(pool_try(pool, &b, &err, &none), -EAGAIN);
	ck_assert_int_eq(pool_try(pool, &c, &err, &none), -EBUSY);
	ck_assert_uint_eq(served_count, 0);
	pool_release(pool, vm, false,
		     &(struct vm_moment){ .monotonic_ns = clock_now_ns() },
		     NULL);
	ck_assert_uint_eq(served_count, 1);
	ck_assert_ptr_eq(order[0], &a);
	ck_assert_ptr_eq(a.vm, vm);
	ck_assert(!pool_leave(pool, &a));
	ck_assert(pool_leave(pool, &b));
	pool_release(pool, a.vm, false,
		     &(struct vm_moment){ .monotonic_ns = clock_now_ns() },
		     NULL);
	ck_assert_uint_eq(served_count, 1);
	ck_assert_int_eq(pool_try(pool, &a, &err, &vm), 0);
	ck_assert_ptr_nonnull(vm);
	pool_release(pool, vm, false,
		     &(struct vm_moment){ .monotonic_ns = clock_now_ns() },
		     NULL);
	undeploy(function);
}
END_TEST

/* How many vms of @function are idle. */
static unsigned count_idle(struct function *function)
{
	unsigned idle, busy, waiting;

	pool_count(function->pool, &idle, &busy, &waiting);
	return idle;
}

START_TEST(the_vms_shrunk_are_those_idle_longest_once_and_keep_their_age)
{
	struct function *function =
		deploy("edges", "measure",
		       ",\"concurrency\":{\"max\":4,\"warm\":1}");
	struct pool *pool = function->pool;
	uint64_t since_ns[4];
	struct vm *vms[4];

	for (int i = 0; i < 4; i++)
		vms[i] = take(function);
	ck_assert_uint_eq(pool_shrink(pool, true, UINT64_MAX), 0);
	for (unsigned i = 0; i < 4; i++)
		pool_release(pool, vms[i], false,
			     &(struct vm_moment){ .monotonic_ns = 10 + i },
			     NULL);
	ck_assert_uint_eq(pool_shrink(pool, false, 10), 0);
	ck_assert_uint_eq(pool_shrink(pool, false, 12), 2);
	ck_assert_uint_eq(pool_shrink(pool, false, UINT64_MAX), 1);
	/* but the warm one */
	ck_assert_uint_eq(pool_shrink(pool, false, UINT64_MAX), 0);
	ck_assert_uint_eq(pool_shrink(pool, true, UINT64_MAX), 1);
	ck_assert_uint_eq(pool_list_idle(pool, true, since_ns, 4), 4);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(since_ns[i], 10 + i);
	ck_assert_uint_eq(pool_list_idle(pool, false, since_ns, 4), 3);
	ck_assert_uint_eq(pool_list_idle(pool, false, since_ns, 2), 2);
	ck_assert_uint_eq(pool_shrink(pool, true, UINT64_MAX), 0);
	/* one that an invocation has been given since has memory again */
	ck_assert_ptr_eq(take(function), vms[3]);
	snapshot_refill(function->snapshot, vms[3]);
	pool_release(pool, vms[3], false,
		     &(struct vm_moment){ .monotonic_ns = 14 }, NULL);
	ck_assert_uint_eq(pool_shrink(pool, true, UINT64_MAX), 1);
	/* the last one stays for a request, since no other may be made */
	for (int i = 0; i < 3; i++)
		vms[i] = take(function);
	vms[3] = take(function);
	snapshot_refill(function->snapshot, vms[3]);
	pool_release(pool, vms[3], false,
		     &(struct vm_moment){ .monotonic_ns = 15 }, NULL);
	ck_assert_uint_eq(pool_shrink(pool, true, UINT64_MAX), 0);
	pool_release(pool, vms[0], false,
		     &(struct vm_moment){ .monotonic_ns = 16 }, NULL);
	ck_assert_uint_eq(pool_shrink(pool, true, UINT64_MAX), 1);
	for (int i = 1; i < 3; i++)
		pool_release(pool, vms[i], false,
			     &(struct vm_moment){ .monotonic_ns = 17 }, NULL);
	undeploy(function);
}
END_TEST

START_TEST(the_vms_freed_are_those_idle_longest_and_not_the_warm_ones)
{
	struct function *function =
		deploy("edges", "measure",
		       ",\"concurrency\":{\"max\":4,\"warm\":1}");
	struct pool *pool = function->pool;
	uint64_t since_ns;
	struct vm *vms[4];

	for (int i = 0; i < 4; i++)
		vms[i] = take(function);
	/* those that are out count as the warm one */
	ck_assert_uint_eq(pool_list_idle(pool, false, &since_ns, 1), 0);
	for (unsigned i = 0; i < 3; i++)
		pool_release(pool, vms[i], false,
			     &(struct vm_moment){ .monotonic_ns = 10 + i },
			     NULL);
	ck_assert_uint_eq(pool_list_idle(pool, false, &since_ns, 1), 1);
	ck_assert_uint_eq(since_ns, 10);
	ck_assert_uint_eq(pool_trim(pool, false, 10), 0);
	ck_assert_uint_eq(pool_trim(pool, false, 12), 2);
	ck_assert_uint_eq(count_idle(function), 1);
	ck_assert_ptr_eq(take(function), vms[2]);
	pool_release(pool, vms[3], false,
		     &(struct vm_moment){ .monotonic_ns = 13 }, NULL);
	pool_release(pool, vms[2], false,
		     &(struct vm_moment){ .monotonic_ns = 14 }, NULL);
	ck_assert_uint_eq(pool_trim(pool, false, UINT64_MAX), 1);
	ck_assert_uint_eq(count_idle(function), 1);
	ck_assert(!pool_free_oldest(pool, false, UINT64_MAX));
	ck_assert_uint_eq(pool_list_idle(pool, false, &since_ns, 1), 0);
	ck_assert(pool_free_oldest(pool, true, UINT64_MAX));
	ck_assert_uint_eq(count_idle(function), 0);
	/* whoever wants them makes them anew, as many as ever */
	for (int i = 0; i < 4; i++)
		vms[i] = take(function);
	for (int i = 0; i < 4; i++)
		pool_release(pool, vms[i], false,
			     &(struct vm_moment){ .monotonic_ns = 20 }, NULL);
	ck_assert_uint_eq(count_idle(function), 4);
	undeploy(function);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slices");
	TCase *group = tcase_create("slices");

	tcase_set_timeout(group, 60);
	tcase_add_test(group,
		       a_run_goes_on_where_its_slice_ended_on_any_thread);
	tcase_add_test(group, a_slice_that_is_long_enough_is_all_it_takes);
	tcase_add_test(group, slices_do_not_move_the_deadline);
	tcase_add_test(group, a_function_that_sleeps_does_not_use_its_slice_up);
	tcase_add_test(group, a_typed_result_is_left_to_the_caller);
	tcase_add_test(group, lines_are_there_when_a_slice_ends);
	tcase_add_test(group, lines_are_there_while_the_function_sleeps);
	tcase_add_test(group, vms_are_handed_out_in_line);
	tcase_add_test(
		group,
		the_vms_shrunk_are_those_idle_longest_once_and_keep_their_age);
	tcase_add_test(
		group,
		the_vms_freed_are_those_idle_longest_and_not_the_warm_ones);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
