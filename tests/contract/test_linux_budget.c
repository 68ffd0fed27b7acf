/*
 * test_linux_budget.c - what a Linux program has outside of guest memory, files that it
 * has open and what it writes to /tmp, counts for the memory of all functions, and is
 * given back when the invocation is over. The test counts bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/catalog.h"
#include "executor/function.h"
#include "executor/invoke.h"
#include "executor/linux/process.h"
#include "snapshot/memory_budget.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"
#include "vm/vm.h"

#define MIB ((uint64_t)1 << 20)
#define MEMORY (16 * MIB)
/* What `hold` writes to /tmp. */
#define WRITTEN MIB
#define OTHER TEST_GUESTS "/linux_device"

static struct memory_budget budget;
static struct catalog *catalog;
static struct function *function;
static uint64_t other_size;

/* @how: what the program does before it asks for a request, with OTHER. */
static void deploy(int backend, const char *how)
{
	const struct function_options options = {
		.dirty = backend ? DIRTY_RING : DIRTY_BITMAP,
		.verify = true,
		.memory = &budget,
	};
	char text[1024];
	struct error err;
	struct stat status;

	snprintf(text, sizeof(text),
		 "{\"version\":1,\"functions\":[{\"name\":\"p\","
		 "\"kind\":\"linux\",\"program\":\"%s\",\"argv\":[\"p\","
		 "\"%s\",\"%s\"],\"files\":[\"%s\"],\"memory\":\"16MiB\","
		 "\"timeout\":\"60s\",\"concurrency\":{\"max\":2}}]}",
		 TEST_GUESTS "/linux_program_fixed", how, OTHER, OTHER);
	memory_budget_init(&budget, 64 * MIB, NULL);
	ck_assert_int_eq(stat(OTHER, &status), 0);
	other_size = (uint64_t)status.st_size;
	ck_assert_msg(!catalog_parse(text, strlen(text), "test", &err,
				     &catalog),
		      "%s", err.message);
	ck_assert_msg(!function_deploy(&catalog->functions[0], &options, &err,
				       &function),
		      "%s", err.message);
}

static void end(void)
{
	function_free(function);
	catalog_free(catalog);
	ck_assert_uint_eq(budget.used, 0);
	memory_budget_done(&budget);
}

static void begin_request(const char *text, const char *result,
			  struct thaw_reply *reply)
{
	const struct thaw_invoke_request request = { .data = text,
						     .size = strlen(text) };
	struct error err;

	*reply = (struct thaw_reply){ .size = 0 };
	ck_assert_msg(!invoke(function, &request, &err, reply), "%s",
		      err.message);
	if (result)
		ck_assert_str_eq(outcome(reply), result);
}

static void request(const char *text, const char *result)
{
	struct thaw_reply reply;

	begin_request(text, result, &reply);
	invoke_release(&reply);
}

START_TEST(what_an_invocation_has_is_counted_until_it_is_over)
{
	struct thaw_reply first, second;
	uint64_t before, held;

	deploy(_i, "plain");
	/* two vms, which are idle from now on */
	begin_request("echo a", "echo a", &first);
	begin_request("echo b", "echo b", &second);
	invoke_release(&first);
	invoke_release(&second);
	before = budget.used;
	for (int i = 0; i < 3; i++) {
		begin_request("hold " OTHER, "open written\n", &first);
		held = budget.used - before;
		ck_assert_uint_ge(held, other_size + WRITTEN);
		/* what a file may grow into is half of it */
		ck_assert_uint_le(held, other_size + 2 * WRITTEN);
		begin_request("hold " OTHER, "open written\n", &second);
		ck_assert_uint_eq(budget.used, before + 2 * held);
		invoke_release(&first);
		ck_assert_uint_eq(budget.used, before + held);
		invoke_release(&second);
		ck_assert_uint_eq(budget.used, before);
	}
	end();
}
END_TEST

START_TEST(there_is_no_more_than_all_functions_may_have)
{
	uint64_t rest;

	deploy(_i, "plain");
	request("echo a", "echo a");
	rest = budget.max - budget.used;
	ck_assert_int_eq(memory_budget_take(&budget, rest, NULL), 0);
	request("hold " OTHER,
		"Cannot allocate memory Cannot allocate memory\n");
	ck_assert_uint_eq(budget.used, budget.max);
	memory_budget_give(&budget, other_size);
	request("hold " OTHER, "open Cannot allocate memory\n");
	memory_budget_give(&budget, 2 * WRITTEN);
	request("hold " OTHER, "open written\n");
	memory_budget_give(&budget, rest - other_size - 2 * WRITTEN);
	end();
}
END_TEST

/* It is in the snapshot, and of all vms. */
START_TEST(what_the_boot_has_opened_is_counted_once)
{
	struct thaw_reply first, second;
	uint64_t before;

	deploy(_i, "plain");
	before = budget.used;
	function_free(function);
	catalog_free(catalog);
	deploy(_i, "file");
	ck_assert_uint_ge(budget.used, before + other_size);
	before = budget.used;
	begin_request("cat " OTHER, NULL, &first);
	begin_request("cat " OTHER, NULL, &second);
	ck_assert_uint_eq(budget.used, before + 2 * MEMORY);
	invoke_release(&first);
	invoke_release(&second);
	end();
}
END_TEST

START_TEST(a_large_reply_is_not_kept)
{
	const struct linux_process *process;
	struct thaw_reply reply;
	struct vm *vm;
	struct error err;

	deploy(_i, "plain");
	begin_request("writes 100000", NULL, &reply);
	ck_assert_uint_eq(reply.size, 300000);
	invoke_release(&reply);
	ck_assert_int_eq(pool_acquire(function->pool, &err, &vm), 0);
	process = vm_kept(vm);
	ck_assert_ptr_nonnull(process);
	ck_assert_uint_le(process->request.output.capacity, LINUX_KEPT_MAX);
	pool_release(function->pool, vm, false,
		     &(struct vm_moment){ .monotonic_ns = 0 }, NULL);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_budget");
	TCase *tests = tcase_create("linux_budget");
	const int n = program_trackers();

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests,
			    what_an_invocation_has_is_counted_until_it_is_over,
			    0, n);
	tcase_add_loop_test(tests, there_is_no_more_than_all_functions_may_have,
			    0, n);
	tcase_add_loop_test(tests, what_the_boot_has_opened_is_counted_once, 0,
			    n);
	tcase_add_loop_test(tests, a_large_reply_is_not_kept, 0, n);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
