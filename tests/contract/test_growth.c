/*
 * test_growth.c - pools that grow while somebody waits, and are warm again after they
 * have lost vms; and what a warm vm takes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/catalog.h"
#include "executor/function.h"
#include "snapshot/pool.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/steps.h"
#include "vm/dirty.h"
#include "vm/vm.h"

static struct catalog *catalog;
static struct memory_budget budget;
static struct pool_waiter *served[4];
static unsigned served_count;

static void note(struct pool_waiter *waiter)
{
	served[served_count++] = waiter;
}

static struct function *deploy(const char *concurrency)
{
	const struct function_options options = { .dirty = DIRTY_AUTO,
						  .verify = true,
						  .memory = &budget,
						  .any_queue = true };
	struct function *function;
	char text[1024];
	struct error err;

	memory_budget_init(&budget, UINT64_MAX, NULL);
	snprintf(text, sizeof(text),
		 "{\"version\":1,\"functions\":[{\"name\":\"f\",\"image\":"
		 "\"%s/edges.elf\",\"entry\":\"measure\",\"memory\":\"4MiB\","
		 "\"concurrency\":{%s}}]}",
		 TEST_GUESTS, concurrency);
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
	ck_assert_uint_eq(budget.used, 0);
	memory_budget_done(&budget);
}

static void release(struct pool *pool, struct vm *vm)
{
	const struct vm_moment now = { .monotonic_ns = clock_now_ns() };

	pool_release(pool, vm, false, &now, NULL);
}

static void check_count(struct pool *pool, unsigned idle, unsigned busy,
			unsigned waiting)
{
	unsigned is_idle, is_busy, wait;

	pool_count(pool, &is_idle, &is_busy, &wait);
	ck_assert_uint_eq(is_idle, idle);
	ck_assert_uint_eq(is_busy, busy);
	ck_assert_uint_eq(wait, waiting);
}

START_TEST(who_waits_gets_the_vm_that_is_made_meanwhile)
{
	struct function *function = deploy("\"max\":2,\"warm\":1");
	struct pool *pool = function->pool;
	struct pool_waiter a = { .served = note };
	struct vm *vm, *none;
	struct error err;

	ck_assert_int_eq(pool_try_growing(pool, &a, &err, &vm), 0);
	ck_assert_ptr_nonnull(vm);
	ck_assert_int_eq(pool_try_growing(pool, &a, &err, &none), -EINPROGRESS);
	check_count(pool, 0, 2, 1);
	pool_grow(pool);
	ck_assert_uint_eq(served_count, 1);
	ck_assert_ptr_nonnull(a.vm);
	ck_assert(a.is_new);
	release(pool, a.vm);
	release(pool, vm);
	check_count(pool, 2, 0, 0);
	undeploy(function);
}
END_TEST

START_TEST(who_waits_gets_the_vm_that_is_free_first)
{
	struct function *function = deploy("\"max\":3,\"warm\":1");
	struct pool *pool = function->pool;
	struct pool_waiter a = { .served = note }, b = a;
	struct vm *vm, *none;
	struct error err;

	ck_assert_int_eq(pool_try_growing(pool, &a, &err, &vm), 0);
	ck_assert_int_eq(pool_try_growing(pool, &a, &err, &none), -EINPROGRESS);
	ck_assert_int_eq(pool_try_growing(pool, &b, &err, &none), -EINPROGRESS);
	release(pool, vm);
	ck_assert_ptr_eq(served[0], &a);
	ck_assert_ptr_eq(a.vm, vm);
	ck_assert(!a.is_new);
	/* the first one is for the other; then nobody waits any more */
	pool_grow(pool);
	ck_assert_ptr_eq(served[1], &b);
	ck_assert(b.is_new);
	pool_grow(pool);
	check_count(pool, 0, 2, 0);
	release(pool, a.vm);
	release(pool, b.vm);
	undeploy(function);
}
END_TEST

START_TEST(the_first_in_line_is_told_why_the_pool_does_not_grow)
{
	struct function *function = deploy("\"max\":2,\"warm\":1");
	struct pool *pool = function->pool;
	struct pool_waiter a = { .served = note };
	struct vm *vm, *none;
	struct error err;

	ck_assert_int_eq(pool_try_growing(pool, &a, &err, &vm), 0);
	ck_assert_int_eq(pool_try_growing(pool, &a, &err, &none), -EINPROGRESS);
	budget.max = budget.used;
	pool_grow(pool);
	ck_assert_uint_eq(served_count, 1);
	ck_assert_ptr_null(a.vm);
	ck_assert_int_eq(pool_take(pool, NULL, &err, &none), -EBUSY);
	check_count(pool, 0, 1, 0);
	release(pool, vm);
	undeploy(function);
}
END_TEST

START_TEST(a_pool_is_warm_again_after_it_has_lost_vms)
{
	struct function *function = deploy("\"max\":4,\"warm\":3");
	struct pool *pool = function->pool;
	struct error err;
	struct vm *vm;

	check_count(pool, 3, 0, 0);
	ck_assert_uint_eq(pool_warm_up(pool), 0);
	ck_assert_int_eq(pool_acquire(pool, &err, &vm), 0);
	vm_spoil(vm);
	release(pool, vm);
	check_count(pool, 2, 0, 0);
	ck_assert_uint_eq(pool_warm_up(pool), 1);
	check_count(pool, 3, 0, 0);
	ck_assert_uint_eq(pool_trim(pool, true, UINT64_MAX), 3);
	/* what is out counts as well */
	ck_assert_int_eq(pool_acquire(pool, &err, &vm), 0);
	ck_assert_uint_eq(pool_warm_up(pool), 2);
	check_count(pool, 2, 1, 0);
	release(pool, vm);
	undeploy(function);
}
END_TEST

/* Vms that are there at the same time, and pages that each writes. */
#define VMS 16
#define PAGES 32

#ifdef TEST_SANITIZED
static const bool is_sanitized = true;
#else
static const bool is_sanitized;
#endif

/* The kernel's part is not counted: see docs/new-vms.md. */
START_TEST(a_warm_vm_takes_its_hot_set_and_little_more)
{
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = backends[0],
		.memory = "8MiB",
		.concurrency = VMS + 1,
	});
	struct thaw_reply replies[VMS + 1];
	struct steps steps = { 0 };
	size_t before = 0, after;

	if (is_sanitized) {
		printf("skip: private memory: the sanitizer has most of it\n");
		thaw_close(thaw);
		return;
	}
	shells_limit(0);
	steps_add(&steps, STEP_CHANGE, 0, PAGES);
	for (unsigned i = 0; i <= VMS; i++) {
		steps_invoke(thaw, &steps, 0, &replies[i]);
		ck_assert_int_eq(replies[i].result, THAW_OK);
		if (!i)
			before = private_bytes();
	}
	for (unsigned i = 0; i <= VMS; i++)
		thaw_reply_release(&replies[i]);
	after = private_bytes();
	printf("a warm vm takes %zu KiB, its hot set %u pages\n",
	       (after - before) / VMS / 1024, replies[VMS].hot_pages);
	ck_assert_uint_ge(replies[VMS].hot_pages, PAGES);
	ck_assert_uint_le((after - before) / VMS,
			  replies[VMS].hot_pages *
					  (size_t)sysconf(_SC_PAGESIZE) +
				  (128u << 10));
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("growth");
	TCase *group = tcase_create("growth");

	tcase_set_timeout(group, 120);
	tcase_add_test(group, who_waits_gets_the_vm_that_is_made_meanwhile);
	tcase_add_test(group, who_waits_gets_the_vm_that_is_free_first);
	tcase_add_test(group,
		       the_first_in_line_is_told_why_the_pool_does_not_grow);
	tcase_add_test(group, a_pool_is_warm_again_after_it_has_lost_vms);
	tcase_add_test(group, a_warm_vm_takes_its_hot_set_and_little_more);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
