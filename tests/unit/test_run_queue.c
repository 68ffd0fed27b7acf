/* test_run_queue.c - the function that has used least is next. */
#include <check.h>
#include <stdlib.h>

#include "executor/server/run_queue.h"

#define MANY 1000
#define LINES 3

static struct run_queue queue;
static struct run_line lines[LINES];
static struct run_entry *entries;

static void set_up(void)
{
	queue = (struct run_queue){ .count = 0 };
	for (int i = 0; i < LINES; i++)
		lines[i] = (struct run_line){ .first = NULL };
	entries = calloc(MANY, sizeof(*entries));
	ck_assert_ptr_nonnull(entries);
}

static void tear_down(void)
{
	free(entries);
}

/* Runs the next one for @ns; returns its number. */
static int run_next(uint64_t ns)
{
	struct run_entry *entry;
	struct run_line *line = run_queue_pop(&queue, &entry);

	run_queue_charge(&queue, line, ns);
	return (int)(entry - entries);
}

START_TEST(one_function_is_first_in_first_out)
{
	for (int i = 0; i < MANY; i++)
		run_queue_push(&queue, &lines[0], &entries[i]);
	ck_assert_uint_eq(queue.count, MANY);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(run_next(1000), i);
	ck_assert_uint_eq(queue.count, 0);
	ck_assert_ptr_null(queue.lines.root);
}
END_TEST

START_TEST(who_has_waited_already_is_the_first_of_its_function)
{
	run_queue_push_first(&queue, &lines[0], &entries[0]);
	run_queue_push(&queue, &lines[0], &entries[1]);
	run_queue_push(&queue, &lines[1], &entries[2]);
	run_queue_push_first(&queue, &lines[0], &entries[3]);
	ck_assert_uint_eq(queue.count, 4);
	ck_assert_int_eq(run_next(10), 3);
	ck_assert_int_eq(run_next(10), 2);
	ck_assert_int_eq(run_next(10), 0);
	ck_assert_int_eq(run_next(10), 1);
	ck_assert_ptr_null(queue.lines.root);
}
END_TEST

START_TEST(who_uses_little_is_next_whatever_others_have_waiting)
{
	for (int i = 0; i < MANY - 1; i++)
		run_queue_push(&queue, &lines[0], &entries[i]);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(run_next(1000), i);
		run_queue_push(&queue, &lines[1], &entries[MANY - 1]);
		ck_assert_int_eq(run_next(10), MANY - 1);
	}
}
END_TEST

/* Each comes again as soon as it has had its turn, and takes more or less. */
START_TEST(all_functions_get_as_much_time)
{
	static const uint64_t takes[LINES] = { 100, 1000, 7000 };
	uint64_t used[LINES] = { 0 };

	for (int i = 0; i < LINES; i++)
		run_queue_push(&queue, &lines[i], &entries[i]);
	for (int i = 0; i < 10000; i++) {
		struct run_entry *entry;
		struct run_line *line = run_queue_pop(&queue, &entry);
		const int which = (int)(line - lines);

		used[which] += takes[which];
		run_queue_charge(&queue, line, takes[which]);
		run_queue_push(&queue, line, entry);
	}
	for (int i = 1; i < LINES; i++) {
		ck_assert_uint_le(used[i], used[0] + 2 * takes[LINES - 1]);
		ck_assert_uint_ge(used[i] + 2 * takes[LINES - 1], used[0]);
	}
}
END_TEST

START_TEST(who_was_idle_has_saved_nothing_up)
{
	int first = 0;

	run_queue_push(&queue, &lines[0], &entries[0]);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(run_next(1000), 0);
		run_queue_push(&queue, &lines[0], &entries[0]);
	}
	/* one that comes only now does not have all of the next time */
	for (int i = 1; i < 11; i++)
		run_queue_push(&queue, &lines[1], &entries[i]);
	for (int i = 0; i < 6; i++)
		first += run_next(1000) == 0;
	ck_assert_int_eq(first, 1);
	run_queue_push(&queue, &lines[0], &entries[0]);
	for (int i = 0; i < 2; i++)
		first += run_next(1000) == 0;
	ck_assert_int_eq(first, 2);
}
END_TEST

/* Its time counts though nothing of it waited meanwhile. */
START_TEST(one_at_a_time_pays_as_many_do)
{
	int alone = 0;

	for (int i = 1; i < 101; i++)
		run_queue_push(&queue, &lines[0], &entries[i]);
	run_queue_push(&queue, &lines[1], &entries[0]);
	for (int i = 0; i < 100; i++)
		if (run_next(1000) == 0) {
			alone++;
			run_queue_push(&queue, &lines[1], &entries[0]);
		}
	ck_assert_int_ge(alone, 49);
	ck_assert_int_le(alone, 51);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run_queue");
	TCase *group = tcase_create("run_queue");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, one_function_is_first_in_first_out);
	tcase_add_test(group,
		       who_has_waited_already_is_the_first_of_its_function);
	tcase_add_test(group,
		       who_uses_little_is_next_whatever_others_have_waiting);
	tcase_add_test(group, all_functions_get_as_much_time);
	tcase_add_test(group, who_was_idle_has_saved_nothing_up);
	tcase_add_test(group, one_at_a_time_pays_as_many_do);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
