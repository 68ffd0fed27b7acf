/* test_run_queue.c - functions take turns in a worker's queue. */
#include <check.h>
#include <stdlib.h>

#include "executor/server/invocation.h"
#include "executor/server/run_queue.h"

#define MANY 1000

static struct run_queue queue;
static struct run_line lines[3];
static struct invocation *invocations;

static void set_up(void)
{
	run_queue_init(&queue);
	for (int i = 0; i < 3; i++)
		lines[i] = (struct run_line){ 0 };
	invocations = calloc(MANY, sizeof(*invocations));
	ck_assert_ptr_nonnull(invocations);
}

static void tear_down(void)
{
	free(invocations);
}

START_TEST(one_function_is_first_in_first_out)
{
	for (int i = 0; i < MANY; i++)
		run_queue_push(&queue, &lines[0], &invocations[i]);
	ck_assert_uint_eq(queue.count, MANY);
	for (int i = 0; i < MANY; i++)
		ck_assert_ptr_eq(run_queue_pop(&queue), &invocations[i]);
	ck_assert_uint_eq(queue.count, 0);
	ck_assert_ptr_null(queue.first);
}
END_TEST

static struct invocation *run_next(uint64_t ns)
{
	struct run_line *line = queue.first;
	struct invocation *invocation = run_queue_pop(&queue);

	run_queue_charge(&queue, line, ns);
	return invocation;
}

START_TEST(who_has_many_lets_others_in_after_a_slice)
{
	for (int i = 0; i < MANY - 2; i++)
		run_queue_push(&queue, &lines[0], &invocations[i]);
	run_queue_push(&queue, &lines[1], &invocations[MANY - 2]);
	run_queue_push(&queue, &lines[2], &invocations[MANY - 1]);
	/* small ones are many in a turn, */
	for (int i = 0; i < 4; i++)
		ck_assert_ptr_eq(run_next(RUN_QUEUE_TURN_NS / 4),
				 &invocations[i]);
	ck_assert_uint_eq(queue.turns, 1);
	ck_assert_ptr_eq(run_next(1), &invocations[MANY - 2]);
	ck_assert_ptr_eq(run_next(10 * RUN_QUEUE_TURN_NS),
			 &invocations[MANY - 1]);
	ck_assert_uint_eq(queue.turns, 2);
	/* and a long one is one, */
	ck_assert_ptr_eq(run_next(RUN_QUEUE_TURN_NS), &invocations[4]);
	ck_assert_uint_eq(queue.turns, 3);
	/* or ends one */
	run_queue_push(&queue, &lines[1], &invocations[0]);
	ck_assert_ptr_eq(run_next(RUN_QUEUE_TURN_NS - 1), &invocations[5]);
	ck_assert_ptr_eq(run_next(RUN_QUEUE_TURN_NS - 1), &invocations[6]);
	ck_assert_ptr_eq(run_next(0), &invocations[0]);
	ck_assert_ptr_eq(run_next(0), &invocations[7]);
}
END_TEST

START_TEST(a_line_that_has_gone_is_not_looked_at)
{
	struct run_line *line = malloc(sizeof(*line));
	struct run_line *volatile gone = line;

	ck_assert_ptr_nonnull(line);
	*line = (struct run_line){ 0 };
	run_queue_push(&queue, line, &invocations[0]);
	run_queue_push(&queue, &lines[1], &invocations[1]);
	ck_assert_ptr_eq(run_queue_pop(&queue), &invocations[0]);
	free(line);
	run_queue_charge(&queue, gone, RUN_QUEUE_TURN_NS);
	ck_assert_uint_eq(queue.turns, 1);
	ck_assert_ptr_eq(run_next(0), &invocations[1]);
}
END_TEST

/* Each comes again as soon as it has had its turn. */
START_TEST(no_function_has_two_turns_while_another_waits)
{
	unsigned had[3] = { 0 };

	for (int i = 0; i < 3; i++)
		run_queue_push(&queue, &lines[i], &invocations[i]);
	for (int i = 0; i < 300; i++) {
		struct invocation *invocation = run_next(RUN_QUEUE_TURN_NS);
		const int which = (int)(invocation - invocations);

		ck_assert_uint_le(queue.turns - invocation->turn, 3);
		had[which]++;
		run_queue_push(&queue, &lines[which], invocation);
	}
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(had[i], 100);
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
	tcase_add_test(group, who_has_many_lets_others_in_after_a_slice);
	tcase_add_test(group, a_line_that_has_gone_is_not_looked_at);
	tcase_add_test(group, no_function_has_two_turns_while_another_waits);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
