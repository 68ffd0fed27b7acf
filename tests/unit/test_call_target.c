/* test_call_target.c - which function a call calls, told from code of our own. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>

#include "vm/arch.h"

static volatile unsigned calls;

/* Where this function returns to, and which function the call there calls. */
static __attribute__((noinline)) uint64_t target_of_my_call(void)
{
	const uint8_t *end = __builtin_return_address(0);

	calls++;
	return arch_call_target(end, (uintptr_t)end);
}

static __attribute__((noinline)) uint64_t forwards(void)
{
	const uint64_t target = target_of_my_call();

	calls++;
	return target;
}

START_TEST(a_direct_call_calls_its_target)
{
	ck_assert_uint_eq(forwards(), (uintptr_t)target_of_my_call);
}
END_TEST

START_TEST(a_call_by_pointer_has_no_target)
{
	uint64_t (*volatile pointer)(void) = target_of_my_call;
	const uint64_t target = pointer();

	calls++;
	ck_assert_uint_ne(target, (uintptr_t)target_of_my_call);
}
END_TEST

START_TEST(what_is_no_call_has_no_target)
{
	const uint8_t zeros[ARCH_CALL_SIZE] = { 0 };

	ck_assert_uint_eq(arch_call_target(zeros + ARCH_CALL_SIZE, 0x100000),
			  0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("call_target");
	TCase *group = tcase_create("call_target");
	SRunner *runner;
	int failed;

	tcase_add_test(group, a_direct_call_calls_its_target);
	tcase_add_test(group, a_call_by_pointer_has_no_target);
	tcase_add_test(group, what_is_no_call_has_no_target);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
