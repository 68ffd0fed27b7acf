/* test_metrics.c - what is counted, and in which bucket */
#include "executor/server/metrics.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#define THREADS 4
#define OBSERVATIONS 20000

/* The only bucket that has something in it. */
static size_t bucket_of(uint64_t ns)
{
	struct metrics_histogram histogram = { .sum_ns = 0 };
	size_t found = METRICS_BUCKETS + 1;

	metrics_observe(&histogram, ns);
	ck_assert_uint_eq(metrics_get(&histogram.sum_ns), ns);
	for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
		uint64_t count = metrics_get(&histogram.buckets[i]);

		ck_assert_uint_le(count, 1);
		if (!count)
			continue;
		ck_assert_uint_eq(found, METRICS_BUCKETS + 1);
		found = i;
	}
	ck_assert_uint_le(found, METRICS_BUCKETS);
	return found;
}

START_TEST(bounds_are_1_2_5_5_from_5_us_to_10_s)
{
	static const uint32_t steps[] = { 10, 25, 50 };

	ck_assert_uint_eq(metrics_bounds_us[0], 5);
	for (size_t i = 1; i < METRICS_BUCKETS; i++) {
		uint32_t factor = 1;

		for (size_t power = 0; power < (i - 1) / 3; power++)
			factor *= 10;
		ck_assert_uint_eq(metrics_bounds_us[i],
				  steps[(i - 1) % 3] * factor);
	}
	ck_assert_uint_eq(metrics_bounds_us[METRICS_BUCKETS - 1], 10000000);
}
END_TEST

START_TEST(a_bound_belongs_to_its_bucket_and_a_nanosecond_more_to_the_next)
{
	uint64_t bound_ns = metrics_bounds_us[_i] * UINT64_C(1000);

	ck_assert_uint_eq(bucket_of(bound_ns - 1), (size_t)_i);
	ck_assert_uint_eq(bucket_of(bound_ns), (size_t)_i);
	ck_assert_uint_eq(bucket_of(bound_ns + 1), (size_t)_i + 1);
}
END_TEST

START_TEST(the_least_and_the_greatest_duration_have_a_bucket)
{
	ck_assert_uint_eq(bucket_of(0), 0);
	ck_assert_uint_eq(bucket_of(UINT64_MAX), METRICS_BUCKETS);
}
END_TEST

static void *observe(void *cookie)
{
	struct metrics_histogram *histogram = cookie;

	for (uint64_t i = 0; i < OBSERVATIONS; i++)
		metrics_observe(histogram, 1000 * i);
	return NULL;
}

START_TEST(nothing_is_lost_when_threads_count_at_once)
{
	struct metrics_histogram histogram = { .sum_ns = 0 };
	pthread_t threads[THREADS];
	uint64_t count = 0;

	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, observe,
						&histogram),
				 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i <= METRICS_BUCKETS; i++)
		count += metrics_get(&histogram.buckets[i]);
	ck_assert_uint_eq(count, THREADS * OBSERVATIONS);
	ck_assert_uint_eq(metrics_get(&histogram.sum_ns),
			  UINT64_C(1000) * THREADS * OBSERVATIONS *
				  (OBSERVATIONS - 1) / 2);
	/* 0 to 5 us, of each thread */
	ck_assert_uint_eq(metrics_get(&histogram.buckets[0]), 6 * THREADS);
}
END_TEST

START_TEST(labels_have_their_words)
{
	ck_assert_str_eq(metrics_outcome_name(METRICS_OK), "ok");
	ck_assert_str_eq(metrics_outcome_name(METRICS_FUNCTION_ERROR),
			 "function_error");
	ck_assert_str_eq(metrics_outcome_name(METRICS_TOO_LARGE), "too_large");
	ck_assert_str_eq(metrics_outcome_name(METRICS_REFUSED), "refused");
	ck_assert_str_eq(metrics_outcome_name(METRICS_FAILED), "failed");
	ck_assert_str_eq(metrics_phase_name(METRICS_QUEUE), "queue");
	ck_assert_str_eq(metrics_phase_name(METRICS_RESTORE), "restore");
	for (enum metrics_outcome i = 0; i < METRICS_OUTCOMES; i++)
		ck_assert_ptr_nonnull(metrics_outcome_name(i));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tests = tcase_create("metrics");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, bounds_are_1_2_5_5_from_5_us_to_10_s);
	tcase_add_loop_test(
		tests,
		a_bound_belongs_to_its_bucket_and_a_nanosecond_more_to_the_next,
		0, METRICS_BUCKETS);
	tcase_add_test(tests,
		       the_least_and_the_greatest_duration_have_a_bucket);
	tcase_add_test(tests, nothing_is_lost_when_threads_count_at_once);
	tcase_add_test(tests, labels_have_their_words);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
