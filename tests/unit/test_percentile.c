/* Tests of executor/cli/percentile.c. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "executor/cli/percentile.h"

static const uint64_t bounds[] = { 10, 20, 40 };

static double of(uint64_t a, uint64_t b, uint64_t c, uint64_t over, double p)
{
	const uint64_t counts[] = { a, b, c, over };

	return percentile(bounds, counts, 3, p);
}

START_TEST(values_are_spread_evenly_in_their_bucket)
{
	ck_assert_double_eq_tol(of(0, 100, 0, 0, 0.5), 15, 1e-9);
	ck_assert_double_eq_tol(of(0, 100, 0, 0, 0.99), 19.9, 1e-9);
	ck_assert_double_eq_tol(of(0, 0, 1, 0, 0.25), 25, 1e-9);
}
END_TEST

START_TEST(the_first_bucket_begins_at_zero)
{
	ck_assert_double_eq_tol(of(10, 0, 0, 0, 0.5), 5, 1e-9);
}
END_TEST

START_TEST(a_rank_falls_into_the_bucket_that_reaches_it)
{
	ck_assert_double_eq_tol(of(50, 50, 0, 0, 0.5), 10, 1e-9);
	ck_assert_double_eq_tol(of(50, 0, 50, 0, 0.75), 30, 1e-9);
	ck_assert_double_eq_tol(of(98, 1, 1, 0, 0.99), 20, 1e-9);
}
END_TEST

START_TEST(a_value_over_all_bounds_is_infinite)
{
	ck_assert(isinf(of(1, 0, 0, 9, 0.5)));
	ck_assert_double_eq_tol(of(9, 0, 0, 1, 0.5), 50.0 / 9, 1e-9);
}
END_TEST

START_TEST(nothing_counted_has_no_percentile)
{
	ck_assert(isnan(of(0, 0, 0, 0, 0.5)));
}
END_TEST

START_TEST(no_buckets_are_all_over)
{
	const uint64_t count = 3;

	ck_assert(isinf(percentile(NULL, &count, 0, 0.5)));
}
END_TEST

static void check_text(double us, const char *expected)
{
	char text[PERCENTILE_TEXT_MAX];

	ck_assert_str_eq(percentile_format(us, 10e6, text), expected);
}

START_TEST(times_have_about_three_digits_and_a_unit)
{
	check_text(0, "0.0us");
	check_text(4.24, "4.2us");
	check_text(310.4, "310us");
	check_text(999.6, "1.00ms");
	check_text(1250, "1.25ms");
	check_text(45000, "45.0ms");
	check_text(450000, "450ms");
	check_text(3e6, "3.0s");
	check_text(450e6, "450s");
}
END_TEST

START_TEST(what_is_no_time_is_told_from_times)
{
	check_text(NAN, "-");
	check_text(INFINITY, ">10s");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("percentile");
	TCase *tests = tcase_create("percentile");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, values_are_spread_evenly_in_their_bucket);
	tcase_add_test(tests, the_first_bucket_begins_at_zero);
	tcase_add_test(tests, a_rank_falls_into_the_bucket_that_reaches_it);
	tcase_add_test(tests, a_value_over_all_bounds_is_infinite);
	tcase_add_test(tests, nothing_counted_has_no_percentile);
	tcase_add_test(tests, no_buckets_are_all_over);
	tcase_add_test(tests, times_have_about_three_digits_and_a_unit);
	tcase_add_test(tests, what_is_no_time_is_told_from_times);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
