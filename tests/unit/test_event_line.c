/* test_event_line.c - who has its turn, who waits, how long one rests. */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "executor/server/event.h"
#include "executor/server/event_line.h"

static struct event_line line;
static struct event_place places[8];

static void setup(void)
{
	event_line_init(&line);
	for (size_t i = 0; i < 8; i++) {
		places[i] = (struct event_place){ 0 };
		event_line_push(&line, &places[i]);
	}
}

static void teardown(void)
{
	event_line_done(&line);
}

START_TEST(turns_come_in_order_and_max_at_a_time)
{
	for (size_t i = 0; i < 3; i++)
		ck_assert_ptr_eq(event_line_next(&line, 3, true), &places[i]);
	ck_assert_ptr_null(event_line_next(&line, 3, true));
	event_line_end_turn(&line);
	ck_assert_ptr_eq(event_line_next(&line, 3, true), &places[3]);
	ck_assert_ptr_null(event_line_next(&line, 3, true));
	/* a reload may change it */
	ck_assert_ptr_null(event_line_next(&line, 2, true));
	ck_assert_ptr_eq(event_line_next(&line, 4, true), &places[4]);
}
END_TEST

START_TEST(without_a_vm_only_one_has_its_turn)
{
	ck_assert_ptr_eq(event_line_next(&line, 3, false), &places[0]);
	ck_assert_ptr_null(event_line_next(&line, 3, false));
	ck_assert_ptr_eq(event_line_next(&line, 3, true), &places[1]);
	event_line_end_turn(&line);
	event_line_end_turn(&line);
	ck_assert_ptr_eq(event_line_next(&line, 3, false), &places[2]);
}
END_TEST

START_TEST(who_leaves_has_no_turn)
{
	ck_assert(event_line_leave(&line, &places[0]));
	ck_assert(event_line_leave(&line, &places[4]));
	ck_assert(event_line_leave(&line, &places[7]));
	ck_assert(!event_line_leave(&line, &places[4]));
	event_line_push(&line, &places[0]);
	for (size_t i = 1; i < 7; i++) {
		if (i != 4)
			ck_assert_ptr_eq(event_line_next(&line, 9, true),
					 &places[i]);
	}
	ck_assert_ptr_eq(event_line_next(&line, 9, true), &places[0]);
	ck_assert_ptr_null(event_line_next(&line, 9, true));
	/* its turn has come */
	ck_assert(!event_line_leave(&line, &places[1]));
}
END_TEST

START_TEST(one_function_has_as_much_as_is_left)
{
	struct event_line other;
	uint64_t room = 10;

	event_line_init(&other);
	while (event_line_enter(&line, room))
		room--;
	ck_assert_uint_eq(room, 4);
	while (event_line_enter(&other, room))
		room--;
	ck_assert_uint_eq(room, 1);
	event_line_exit(&line);
	room++;
	/* it has 5, and there is room for 2 */
	ck_assert(!event_line_enter(&line, room));
	ck_assert(!event_line_enter(&other, 0));
	event_line_done(&other);
}
END_TEST

START_TEST(retries_double_up_to_a_minute_and_differ_by_half)
{
	const uint64_t wanted_s[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60, 60 };

	for (unsigned i = 0; i < 10; i++) {
		const uint64_t ns = wanted_s[i] * NS_PER_S;

		ck_assert_uint_eq(event_retry_ns(i + 1, 0), ns / 2);
		ck_assert_uint_eq(event_retry_ns(i + 1, ns / 2), ns);
		ck_assert_uint_eq(event_retry_ns(i + 1, ns), ns / 2 + ns);
		ck_assert_uint_eq(event_retry_ns(i + 1, ns + 1), ns / 2);
	}
	ck_assert_uint_le(event_retry_ns(10, UINT64_MAX), 90 * NS_PER_S);
}
END_TEST

START_TEST(refusals_double_up_to_a_tenth_of_a_second)
{
	ck_assert_uint_eq(event_refused_ns(1, 0), 5 * NS_PER_MS);
	ck_assert_uint_eq(event_refused_ns(2, 0), 10 * NS_PER_MS);
	ck_assert_uint_eq(event_refused_ns(5, 0), 50 * NS_PER_MS);
	ck_assert_uint_eq(event_refused_ns(1000000, 0), 50 * NS_PER_MS);
	ck_assert_uint_le(event_refused_ns(9, UINT64_MAX), 150 * NS_PER_MS);
}
END_TEST

START_TEST(events_that_fail_together_are_not_due_together)
{
	/* neighbouring random numbers, too, and those of every attempt */
	for (unsigned times = 1; times <= 10; times++) {
		ck_assert_uint_ne(event_retry_ns(times, 1),
				  event_retry_ns(times, 2));
		ck_assert_uint_ne(event_refused_ns(times, 1),
				  event_refused_ns(times, 2));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event_line");
	TCase *tcase = tcase_create("event_line");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, turns_come_in_order_and_max_at_a_time);
	tcase_add_test(tcase, without_a_vm_only_one_has_its_turn);
	tcase_add_test(tcase, who_leaves_has_no_turn);
	tcase_add_test(tcase, one_function_has_as_much_as_is_left);
	tcase_add_test(tcase, retries_double_up_to_a_minute_and_differ_by_half);
	tcase_add_test(tcase, refusals_double_up_to_a_tenth_of_a_second);
	tcase_add_test(tcase, events_that_fail_together_are_not_due_together);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
