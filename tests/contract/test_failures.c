/*
 * test_failures.c - an ioctl that KVM refuses between two invocations may cost the vm,
 * but the second invocation never sees anything of the first.
 *
 * Every ioctl of the program goes through __wrap_ioctl(), which makes one of them fail,
 * or all from that one on. The test repeats the same invocations and lets the first,
 * the second, and so on fail, until there is none left. The same goes for mprotect(), by
 * which writes are tracked anew where page tables tell of them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "executor/engine.h"
#include "executor/function.h"
#include "guest/abi/thaw_abi.h"
#include "snapshot/pool.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/steps.h"

#define SECRET_PAGES 32
/* None of them writes beyond. */
#define ALL_PAGES 200
#define SPIN_NS (2 * NS_PER_MS)
/* The last vm that may be made does not shrink. */
#define CONCURRENCY 2
/* More ioctls than any of the sequences takes. */
#define IOCTLS_MAX 1000

int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __real_mprotect(void *start, size_t size, int prot);
int __wrap_mprotect(void *start, size_t size, int prot);

/* What is to fail. */
static struct {
	atomic_bool is_armed;
	atomic_int left;   /* before the first that fails */
	bool goes_on;	   /* those after it fail, too */
	bool protect_only; /* only what protects pages again */
	int code;
} fault;

static bool protects(unsigned long request)
{
	switch (_IOC_NR(request)) {
	case 0x46: /* KVM_SET_USER_MEMORY_REGION */
	case 0xc0: /* KVM_CLEAR_DIRTY_LOG */
	case 0xc7: /* KVM_RESET_DIRTY_RINGS */
		return true;
	default:
		return false;
	}
}

static bool is_to_fail(bool is_protection)
{
	int left;

	if (!atomic_load(&fault.is_armed) ||
	    (fault.protect_only && !is_protection))
		return false;
	left = atomic_fetch_sub(&fault.left, 1);
	return fault.goes_on ? left <= 0 : left == 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	void *argument;
	va_list args;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (!is_to_fail(protects(request)))
		return __real_ioctl(fd, request, argument);
	errno = fault.code;
	return -1;
}

int __wrap_mprotect(void *start, size_t size, int prot)
{
	if (!is_to_fail(true))
		return __real_mprotect(start, size, prot);
	errno = fault.code;
	return -1;
}

static void arm(int left)
{
	atomic_store(&fault.left, left);
	atomic_store(&fault.is_armed, true);
}

/* Returns whether one has failed. */
static bool disarm(void)
{
	atomic_store(&fault.is_armed, false);
	return atomic_load(&fault.left) < 0;
}

/* Invokes; returns -1 if that is refused, or else how it has ended. */
static int try_steps(struct thaw *thaw, const struct steps *steps,
		     uint64_t timeout_ns)
{
	const struct thaw_invoke_request request = {
		.data = &steps->request,
		.size = offsetof(struct page_request, steps) +
			steps->request.count * sizeof(struct page_step),
		.timeout_ns = timeout_ns,
	};
	struct thaw_reply reply;
	struct thaw_error error;
	int result;

	if (thaw_invoke(thaw, "steps", &request, &error, &reply))
		return -1;
	/* whatever has failed, no byte of another invocation is seen */
	ck_assert_str_ne(reply.error_type, "Test.Soiled");
	result = (int)reply.result;
	thaw_reply_release(&reply);
	return result;
}

static int change(struct thaw *thaw, uint32_t count)
{
	struct steps steps = { 0 };

	steps_add(&steps, STEP_CHECK, 0, ALL_PAGES);
	steps_add(&steps, STEP_CHANGE, 0, count);
	return try_steps(thaw, &steps, 0);
}

/* Leaves a secret on the heap, and ends by @kind. */
static void leave_secret(struct thaw *thaw, enum page_step_kind kind,
			 uint32_t first)
{
	struct steps steps = { 0 };

	steps_add(&steps, STEP_CHECK, 0, ALL_PAGES);
	steps_add(&steps, STEP_CHANGE, 0, SECRET_PAGES);
	steps_add(&steps, STEP_LOG, 0, 0);
	steps_add(&steps, kind, first, 1);
	try_steps(thaw, &steps, kind == STEP_SPIN ? SPIN_NS : 0);
	change(thaw, 1);
}

/* Every way an invocation can end. */
static void end_in_every_way(struct thaw *thaw)
{
	leave_secret(thaw, STEP_SAME, 0);
	/* the stub's own way to ask for a complete restore; its page is there */
	leave_secret(thaw, STEP_RING, THAW_BELL_REFUSED);
	leave_secret(thaw, STEP_FAIL, 0);
	leave_secret(thaw, STEP_FAULT, 0);
	leave_secret(thaw, STEP_SPIN, 0);
}

/* Two runs, and two restores: the stub seems to refuse the first. */
static void refuse(struct thaw *thaw)
{
	struct steps steps = { 0 };

	steps_add(&steps, STEP_CHECK, 0, ALL_PAGES);
	steps_add(&steps, STEP_CHANGE, 0, 4);
	steps_add(&steps, STEP_RING, THAW_BELL_REFUSED, 0);
	try_steps(thaw, &steps, 0);
}

/*
 * Pages that are not written again are let go, in the restore between the two
 * runs and, with one more restore before, in that after them.
 */
static void cool(struct thaw *thaw)
{
	for (int more = 0; more < 2; more++) {
		change(thaw, ALL_PAGES);
		for (int i = 0; i < more; i++)
			change(thaw, 4);
		for (int i = 0; i < 50; i++)
			refuse(thaw);
	}
	change(thaw, ALL_PAGES);
}

/* Has the idle vm give back its memory. */
static void shrink(struct thaw *thaw)
{
	struct pool *pool = engine_find(thaw, "steps")->pool;

	for (int i = 0; i < 3; i++) {
		change(thaw, SECRET_PAGES);
		pool_shrink(pool, true, UINT64_MAX);
		change(thaw, 1);
	}
}

static void check_all_is_well(struct thaw *thaw)
{
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_int_eq(change(thaw, SECRET_PAGES), THAW_OK);
}

static struct thaw *open_one(const char *backend, const char *restore)
{
	return open_steps(&(struct steps_options){
		.backend = backend,
		.memory = "2MiB",
		.verify = true,
		.restore = restore,
		.concurrency = CONCURRENCY,
	});
}

/* Whether there was a call to fail after @left others. */
static bool fail_one(struct thaw *thaw, int left,
		     void (*sequence)(struct thaw *thaw))
{
	bool has_failed;

	arm(left);
	sequence(thaw);
	has_failed = disarm();
	check_all_is_well(thaw);
	return has_failed;
}

static const struct {
	int code;
	bool goes_on; /* not EINTR: that would be tried again for ever */
} ways[] = {
	{ EIO, false }, { EINTR, false }, { ENOMEM, false }, { EIO, true }
};
#define WAYS ((int)(sizeof(ways) / sizeof(*ways)))

/* @i, the loop's variable, says which way and which backend. */
static void fail_each(int i, const char *restore,
		      void (*sequence)(struct thaw *thaw))
{
	struct thaw *thaw = open_one(backends[i / WAYS], restore);
	int n = 0;

	fault.code = ways[i % WAYS].code;
	fault.goes_on = ways[i % WAYS].goes_on;
	check_all_is_well(thaw);
	while (fail_one(thaw, n, sequence))
		ck_assert_int_lt(n++, IOCTLS_MAX);
	ck_assert_int_gt(n, 1);
	thaw_close(thaw);
}

START_TEST(a_failed_restore_costs_the_vm_if_pages_are_copied)
{
	fail_each(_i, "copy", end_in_every_way);
}
END_TEST

START_TEST(a_failed_restore_costs_the_vm_if_pages_are_given_back)
{
	fail_each(_i, "remap", end_in_every_way);
}
END_TEST

START_TEST(a_failed_shrink_costs_the_vm)
{
	fail_each(_i, "copy", shrink);
}
END_TEST

START_TEST(pages_that_could_not_be_let_go_cost_the_vm)
{
	int n = -1;
	bool has_failed;

	fault.protect_only = true;
	fault.code = ways[_i % WAYS].code;
	fault.goes_on = ways[_i % WAYS].goes_on;
	do {
		/* each time a new one: cooling again takes more patience */
		struct thaw *thaw = open_one(backends[_i / WAYS], "copy");

		ck_assert_int_lt(++n, IOCTLS_MAX);
		has_failed = fail_one(thaw, n, cool);
		thaw_close(thaw);
	} while (has_failed);
	ck_assert_int_gt(n, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failures");
	TCase *group = tcase_create("failures");
	const int n = backend_count_all() * WAYS;

	tcase_set_timeout(group, 240);
	tcase_add_loop_test(group,
			    a_failed_restore_costs_the_vm_if_pages_are_copied,
			    0, n);
	tcase_add_loop_test(
		group, a_failed_restore_costs_the_vm_if_pages_are_given_back, 0,
		n);
	tcase_add_loop_test(group, a_failed_shrink_costs_the_vm, 0, n);
	tcase_add_loop_test(group, pages_that_could_not_be_let_go_cost_the_vm,
			    0, n);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
