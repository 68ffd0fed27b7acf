/* test_entropy.c - random bytes: as many as asked for, and never the same. */
#include "base/entropy.h"

#include <check.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* More calls than one key from the kernel is good for. */
#define CALLS 200000
#define THREADS 4

START_TEST(every_size_is_filled_and_no_more)
{
	uint8_t bytes[ENTROPY_MAX + 8], ever[ENTROPY_MAX + 8];

	for (size_t size = 0; size <= ENTROPY_MAX; size++) {
		memset(ever, 0, sizeof(ever));
		/* that a byte is zero 16 times is not to be expected */
		for (int round = 0; round < 16; round++) {
			memset(bytes, 0, sizeof(bytes));
			ck_assert_int_eq(entropy_fill(bytes, size), 0);
			for (size_t i = 0; i < sizeof(bytes); i++)
				ever[i] |= bytes[i];
		}
		for (size_t i = 0; i < sizeof(ever); i++)
			ck_assert_msg((ever[i] != 0) == (i < size),
				      "byte %zu of %zu", i, size);
	}
}
END_TEST

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(uint64_t));
}

static void check_no_two_equal(uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	for (size_t i = 1; i < count; i++)
		if (values[i] == values[i - 1])
			ck_abort_msg("%#llx twice",
				     (unsigned long long)values[i]);
}

START_TEST(no_bytes_come_twice)
{
	static uint64_t values[CALLS];

	for (size_t i = 0; i < CALLS; i++)
		if (entropy_fill(&values[i], sizeof(values[i])))
			ck_abort_msg("call %zu", i);
	check_no_two_equal(values, CALLS);
}
END_TEST

static void *get_many(void *values)
{
	int r = 0;

	for (size_t i = 0; i < CALLS / 10; i++)
		r |= entropy_fill((uint64_t *)values + i, sizeof(uint64_t));
	return r ? NULL : values;
}

START_TEST(threads_get_different_bytes)
{
	static uint64_t values[THREADS][CALLS / 10];
	pthread_t threads[THREADS];
	void *result;

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, get_many,
						values[i]),
				 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		ck_assert_ptr_nonnull(result);
	}
	check_no_two_equal(values[0], sizeof(values) / sizeof(values[0][0]));
}
END_TEST

/* Not a test of ChaCha20, but of what is taken from it. */
START_TEST(half_of_all_bits_are_set)
{
	static uint8_t bytes[ENTROPY_MAX];
	long bits[8 * ENTROPY_MAX] = { 0 };
	const int rounds = 10000;

	for (int round = 0; round < rounds; round++) {
		if (entropy_fill(bytes, sizeof(bytes)))
			ck_abort_msg("round %d", round);
		for (size_t i = 0; i < 8 * sizeof(bytes); i++)
			bits[i] += bytes[i / 8] >> (i % 8) & 1;
	}
	/* eight standard deviations, each of 50 */
	for (size_t i = 0; i < 8 * sizeof(bytes); i++)
		ck_assert_msg(labs(bits[i] - rounds / 2) < 400, "bit %zu: %ld",
			      i, bits[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("entropy");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("entropy");
	int failed;

	tcase_set_timeout(group, 60);
	tcase_add_test(group, every_size_is_filled_and_no_more);
	tcase_add_test(group, no_bytes_come_twice);
	tcase_add_test(group, threads_get_different_bytes);
	tcase_add_test(group, half_of_all_bits_are_set);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
