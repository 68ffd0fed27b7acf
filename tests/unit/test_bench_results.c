/* test_bench_results.c - what runs of a benchmark are together. */
#include "bench/results.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "bench/json.h"

/* @count times @ns, in one round, of a row that took @cpu_ns in all. */
static void add_row(struct bench_results *results, const char *name,
		    uint64_t count, uint64_t cpu_ns)
{
	struct bench_result *row = &results->rows[results->count];

	ck_assert_int_eq(bench_results_add_row(results, name), 0);
	histogram_add_many(row->histogram, 1000, count);
	row->cpu_ns = cpu_ns;
}

static void add_round(struct bench_results *results)
{
	ck_assert_int_eq(bench_results_add_round(results), 0);
	for (size_t i = 0; i < results->count; i++)
		results->rows[i].round_p50_ns[results->rounds - 1] = 1000;
	results->runs = 1;
}

static void set_idle(struct bench_result *row, double us)
{
	row->has_idle = true;
	row->idle_us = us;
}

START_TEST(cpu_time_is_weighted_by_samples)
{
	struct bench_results one = { .count = 0 }, other = { .count = 0 };

	add_row(&one, "a", 1, 10000);
	add_row(&other, "a", 9, 9000);
	add_round(&one);
	add_round(&other);
	ck_assert_double_eq(bench_result_cpu_us(&one.rows[0]), 10);
	ck_assert_double_eq(bench_result_cpu_us(&other.rows[0]), 1);
	ck_assert_int_eq(bench_results_merge(&one, &other, NULL), 0);
	ck_assert_double_eq(bench_result_cpu_us(&one.rows[0]), 1.9);
	bench_results_done(&one);
	bench_results_done(&other);
}
END_TEST

START_TEST(idle_time_is_weighted_by_runs)
{
	struct bench_results all = { .count = 0 }, next;

	add_row(&all, "a", 1, 0);
	add_row(&all, "b", 1, 0);
	add_round(&all);
	set_idle(&all.rows[0], 30);
	for (int i = 0; i < 2; i++) {
		next = (struct bench_results){ .count = 0 };
		add_row(&next, "a", 1, 0);
		add_row(&next, "b", 1, 0);
		add_round(&next);
		set_idle(&next.rows[0], 60);
		ck_assert_int_eq(bench_results_merge(&all, &next, NULL), 0);
		bench_results_done(&next);
	}
	ck_assert_uint_eq(all.runs, 3);
	ck_assert(all.rows[0].has_idle && !all.rows[1].has_idle);
	ck_assert_double_eq_tol(all.rows[0].idle_us, 50, 1e-9);
	bench_results_done(&all);
}
END_TEST

START_TEST(other_rows_are_not_merged)
{
	struct bench_results one = { .count = 0 }, other = { .count = 0 };

	add_row(&one, "a", 1, 5000);
	add_row(&other, "b", 1, 5000);
	add_round(&one);
	add_round(&other);
	ck_assert_int_eq(bench_results_merge(&one, &other, NULL), -EINVAL);
	ck_assert_uint_eq(one.rows[0].cpu_ns, 5000);
	ck_assert_uint_eq(one.rounds, 1);
	bench_results_done(&one);
	bench_results_done(&other);
}
END_TEST

/* Memory of the kernel's may be less than before. */
START_TEST(numbers_are_rounded_to_thousandths)
{
	static const double numbers[][2] = {
		{ 0, 0 },	{ 1.2344, 1.234 },   { 1.2346, 1.235 },
		{ -384, -384 }, { -1.2346, -1.235 },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		json_t *json = bench_json_number(numbers[i][0]);

		ck_assert_double_eq_tol(json_real_value(json), numbers[i][1],
					1e-9);
		json_decref(json);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bench_results");
	TCase *tests = tcase_create("bench_results");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, cpu_time_is_weighted_by_samples);
	tcase_add_test(tests, idle_time_is_weighted_by_runs);
	tcase_add_test(tests, other_rows_are_not_merged);
	tcase_add_test(tests, numbers_are_rounded_to_thousandths);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
