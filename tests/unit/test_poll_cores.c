/* test_poll_cores.c - how many cores may be waited on, and how many of them are spare */
#include "vm/poll_cores.h"

#include <check.h>
#include <stdlib.h>

static uint32_t count_cpus(void)
{
	cpu_set_t set;

	poll_cpus(&set);
	return (uint32_t)CPU_COUNT(&set);
}

/* Takes all cores that there are, gives them back, and returns their number. */
static uint32_t take_all(bool is_spare)
{
	uint32_t count = 0;

	while (poll_core_take(is_spare))
		count++;
	for (uint32_t i = 0; i < count; i++)
		poll_core_give();
	return count;
}

START_TEST(one_cpu_is_always_left)
{
	const uint32_t cpus = count_cpus();

	ck_assert_uint_eq(take_all(false), cpus / 2);
	poll_cores_set(cpus);
	ck_assert_uint_eq(take_all(false), cpus - 1);
	poll_cores_set(0);
	ck_assert_uint_eq(take_all(false), 0);
	ck_assert_uint_eq(take_all(true), 0);
}
END_TEST

START_TEST(spare_cores_are_those_beside_the_reserved_ones)
{
	const uint32_t cpus = count_cpus();

	poll_cores_set(cpus);
	ck_assert_uint_eq(take_all(true), cpus - 1);
	for (uint32_t reserved = 1; reserved <= cpus + 1; reserved++) {
		poll_cores_reserve(reserved);
		ck_assert_uint_eq(take_all(true),
				  reserved < cpus ? cpus - reserved : 0);
		ck_assert_uint_eq(poll_cores_spare(), take_all(true));
		ck_assert_uint_eq(take_all(false), cpus - 1);
	}
	poll_cores_reserve(0);
	ck_assert_uint_eq(take_all(true), cpus - 1);
}
END_TEST

/* What waits on any core also takes those that are spare. */
START_TEST(taken_cores_count_for_both)
{
	const uint32_t cpus = count_cpus();

	poll_cores_set(cpus);
	for (uint32_t i = 0; i + 1 < cpus; i++)
		ck_assert(poll_core_take(false));
	ck_assert_uint_eq(take_all(true), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("poll_cores");
	TCase *group = tcase_create("poll_cores");
	SRunner *runner;
	int failed;

	tcase_add_test(group, one_cpu_is_always_left);
	tcase_add_test(group, spare_cores_are_those_beside_the_reserved_ones);
	tcase_add_test(group, taken_cores_count_for_both);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
