/* test_load_schedule.c - when the requests of an open loop are due. */
#include "bench/load_schedule.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

#define START_NS UINT64_C(123456789)

static struct load_schedule schedule;

static void start(enum load_arrivals arrivals, uint64_t rate, unsigned part,
		  unsigned parts)
{
	load_schedule_start(&schedule, arrivals, rate, START_NS, part, parts);
}

static uint64_t next(void)
{
	return load_schedule_next(&schedule) - START_NS;
}

START_TEST(uniform_requests_are_as_far_apart_as_each_other)
{
	start(LOAD_UNIFORM, 1000, 0, 1);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert_uint_eq(next(), i * NS_PER_MS);
}
END_TEST

START_TEST(a_rate_that_does_not_divide_a_second_is_kept_all_the_same)
{
	start(LOAD_UNIFORM, 7, 0, 1);
	for (int i = 0; i < 7 * 100000; i++)
		next();
	ck_assert_uint_eq(next(), 100000 * NS_PER_S);
}
END_TEST

START_TEST(the_highest_rate_for_a_day_does_not_overflow)
{
	start(LOAD_UNIFORM, LOAD_RATE_MAX, 0, 1);
	schedule.index = UINT64_C(86400) * LOAD_RATE_MAX;
	ck_assert_uint_eq(next(), 86400 * NS_PER_S);
}
END_TEST

START_TEST(the_parts_of_a_uniform_schedule_are_the_whole)
{
	struct load_schedule parts[3];

	for (unsigned i = 0; i < 3; i++)
		load_schedule_start(&parts[i], LOAD_UNIFORM, 300, START_NS, i,
				    3);
	start(LOAD_UNIFORM, 300, 0, 1);
	for (unsigned i = 0; i < 300; i++)
		ck_assert_uint_eq(load_schedule_next(&parts[i % 3]) - START_NS,
				  next());
}
END_TEST

/* The mean and the standard deviation of exponential gaps are the same. */
START_TEST(poisson_requests_have_the_rate_and_no_pattern)
{
	const unsigned count = 100000;
	double sum = 0, squares = 0, mean;
	uint64_t before = 0;

	start(LOAD_POISSON, 2000, 1, 4);
	for (unsigned i = 0; i < count; i++) {
		const uint64_t now = next();
		const double gap = (double)(now - before);

		ck_assert_uint_ge(now, before);
		before = now;
		sum += gap;
		squares += gap * gap;
	}
	mean = sum / count;
	/* one part of four has a quarter of the rate: 2 ms */
	ck_assert_double_eq_tol(mean, 2e6, 4e4);
	ck_assert_double_eq_tol(sqrt(squares / count - mean * mean), 2e6, 8e4);
}
END_TEST

START_TEST(the_parts_of_a_poisson_schedule_differ)
{
	uint64_t first;

	start(LOAD_POISSON, 1000, 0, 2);
	first = next();
	start(LOAD_POISSON, 1000, 1, 2);
	ck_assert_uint_ne(first, next());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load_schedule");
	TCase *tcase = tcase_create("core");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, uniform_requests_are_as_far_apart_as_each_other);
	tcase_add_test(
		tcase,
		a_rate_that_does_not_divide_a_second_is_kept_all_the_same);
	tcase_add_test(tcase, the_highest_rate_for_a_day_does_not_overflow);
	tcase_add_test(tcase, the_parts_of_a_uniform_schedule_are_the_whole);
	tcase_add_test(tcase, poisson_requests_have_the_rate_and_no_pattern);
	tcase_add_test(tcase, the_parts_of_a_poisson_schedule_differ);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
