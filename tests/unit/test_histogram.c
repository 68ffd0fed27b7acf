/* test_histogram.c - durations in buckets, and what is known of them after. */
#include "bench/histogram.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 20000

static struct histogram one, other, both;

static void clear(void)
{
	memset(&one, 0, sizeof(one));
	memset(&other, 0, sizeof(other));
	memset(&both, 0, sizeof(both));
}

/* Durations of all magnitudes, from 1 ns to 17 s. */
static uint64_t any_duration(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return 1 + ((*seed >> 30) >> (*seed >> 59));
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

START_TEST(percentiles_are_right_to_a_thousandth)
{
	static const double fractions[] = { 0.001, 0.1,	 0.25,	0.5,
					    0.9,   0.99, 0.999, 0.9999 };
	static uint64_t samples[SAMPLES];
	uint64_t seed = 1;

	clear();
	for (size_t i = 0; i < SAMPLES; i++) {
		samples[i] = any_duration(&seed);
		histogram_add(&one, samples[i]);
	}
	qsort(samples, SAMPLES, sizeof(*samples), compare);
	for (size_t i = 0; i < sizeof(fractions) / sizeof(*fractions); i++) {
		const size_t rank = (size_t)(fractions[i] * SAMPLES + 0.5);
		const double exact = (double)samples[rank - 1];
		const double found =
			(double)histogram_percentile(&one, fractions[i]);

		ck_assert_double_le(found, exact * 1.001);
		ck_assert_double_ge(found, exact * 0.999);
	}
}
END_TEST

START_TEST(small_durations_and_both_ends_are_exact)
{
	clear();
	for (uint64_t ns = 1; ns <= 2000; ns++)
		histogram_add(&one, ns);
	histogram_add(&one, 123456789);
	ck_assert_uint_eq(one.count, 2001);
	ck_assert_uint_eq(histogram_percentile(&one, 0), 1);
	ck_assert_uint_eq(histogram_percentile(&one, 1000 / 2001.0), 1000);
	ck_assert_uint_eq(histogram_percentile(&one, 2000 / 2001.0), 2000);
	ck_assert_uint_eq(histogram_percentile(&one, 1), 123456789);
	ck_assert_uint_eq(one.least_ns, 1);
	ck_assert_uint_eq(one.greatest_ns, 123456789);
}
END_TEST

START_TEST(percentiles_never_fall_and_never_leave_the_ends)
{
	uint64_t seed = 2, last = 0;

	clear();
	for (size_t i = 0; i < 100; i++)
		histogram_add(&one, any_duration(&seed));
	for (size_t i = 0; i <= 1000; i++) {
		uint64_t ns = histogram_percentile(&one, (double)i / 1000);

		ck_assert_uint_ge(ns, last);
		ck_assert_uint_ge(ns, one.least_ns);
		ck_assert_uint_le(ns, one.greatest_ns);
		last = ns;
	}
}
END_TEST

START_TEST(merging_is_measuring_together)
{
	uint64_t seed = 3;

	clear();
	for (size_t i = 0; i < SAMPLES; i++) {
		uint64_t ns = any_duration(&seed);

		histogram_add(i % 3 ? &one : &other, ns);
		histogram_add(&both, ns);
	}
	histogram_merge(&one, &other);
	ck_assert_int_eq(memcmp(&one, &both, sizeof(one)), 0);
}
END_TEST

START_TEST(merging_nothing_changes_nothing)
{
	clear();
	histogram_add(&one, 5000);
	both = one;
	histogram_merge(&one, &other);
	ck_assert_int_eq(memcmp(&one, &both, sizeof(one)), 0);
	histogram_merge(&other, &one);
	ck_assert_int_eq(memcmp(&other, &both, sizeof(one)), 0);
}
END_TEST

START_TEST(an_empty_one_has_no_durations)
{
	uint64_t ns, count;
	size_t index = 0;

	clear();
	ck_assert_uint_eq(histogram_percentile(&one, 0.5), 0);
	ck_assert(!histogram_next(&one, &index, &ns, &count));
}
END_TEST

/* What --save writes, and --merge reads. */
START_TEST(buckets_read_back_make_the_same_histogram)
{
	uint64_t seed = 4, ns, count;
	size_t index = 0;

	clear();
	for (size_t i = 0; i < SAMPLES; i++)
		histogram_add(&one, any_duration(&seed));
	while (histogram_next(&one, &index, &ns, &count))
		histogram_add_many(&other, ns, count);
	ck_assert_uint_eq(other.count, one.count);
	ck_assert_int_eq(memcmp(other.buckets, one.buckets,
				sizeof(one.buckets)),
			 0);
}
END_TEST

START_TEST(durations_without_a_bucket_share_the_last)
{
	clear();
	histogram_add(&one, UINT64_C(1) << HISTOGRAM_MAX_BITS);
	histogram_add(&one, UINT64_MAX);
	ck_assert_uint_eq(one.buckets[HISTOGRAM_BUCKETS - 1], 2);
	ck_assert_uint_eq(one.greatest_ns, UINT64_MAX);
	ck_assert_uint_eq(histogram_percentile(&one, 0.5),
			  UINT64_C(1) << HISTOGRAM_MAX_BITS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("histogram");
	TCase *tests = tcase_create("histogram");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, percentiles_are_right_to_a_thousandth);
	tcase_add_test(tests, small_durations_and_both_ends_are_exact);
	tcase_add_test(tests, percentiles_never_fall_and_never_leave_the_ends);
	tcase_add_test(tests, merging_is_measuring_together);
	tcase_add_test(tests, merging_nothing_changes_nothing);
	tcase_add_test(tests, an_empty_one_has_no_durations);
	tcase_add_test(tests, buckets_read_back_make_the_same_histogram);
	tcase_add_test(tests, durations_without_a_bucket_share_the_last);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
