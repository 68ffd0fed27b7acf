/* test_budget.c - nobody takes all of what there is, and all of it comes back. */
#include "base/budget.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "executor/protocol/budget_reason.h"

#define MAX 1200

static struct budget budget;
static struct budget_purse purse;
static struct budget_share functions[3], client;
static struct budget_account accounts[4];

static void start(void)
{
	budget = (struct budget){ .max = MAX };
	purse = (struct budget_purse){ .budget = &budget };
	memset(functions, 0, sizeof(functions));
	client = (struct budget_share){ 0 };
	for (unsigned i = 0; i < 4; i++)
		budget_open(&accounts[i], &purse);
}

static void stop(void)
{
	for (unsigned i = 0; i < 4; i++)
		budget_close(&accounts[i]);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(functions[i].used, 0);
	ck_assert_uint_eq(client.used, 0);
	budget_purse_done(&purse);
	ck_assert_uint_eq(budget.used, 0);
}

/* Takes bytes for @account one by one; how many there were. */
static unsigned take_all(struct budget_account *account)
{
	unsigned count = 0;

	while (budget_take(account, 1))
		count++;
	return count;
}

START_TEST(without_shares_all_can_be_taken_and_no_more)
{
	ck_assert(!budget_take(&accounts[0], MAX + 1));
	ck_assert(budget_take(&accounts[0], MAX));
	ck_assert(!budget_take(&accounts[0], 1));
	ck_assert_int_eq(accounts[0].refused, BUDGET_USED_UP);
	ck_assert(!budget_allows(&accounts[1], 0));
	budget_give(&accounts[0], 1);
	ck_assert(budget_allows(&accounts[1], 0));
	ck_assert(budget_take(&accounts[1], 1));
}
END_TEST

START_TEST(one_function_gets_half)
{
	budget_join(&accounts[0], BUDGET_OF_FUNCTION, &functions[0]);
	ck_assert_uint_eq(take_all(&accounts[0]), MAX / 2);
	ck_assert_int_eq(accounts[0].refused, BUDGET_FUNCTION_FULL);
	/* another account of it gets nothing */
	budget_join(&accounts[1], BUDGET_OF_FUNCTION, &functions[0]);
	ck_assert_uint_eq(take_all(&accounts[1]), 0);
	/* in one piece: half of it, not a byte more */
	budget_give(&accounts[0], MAX / 2);
	ck_assert(!budget_take(&accounts[0], MAX / 2 + 1));
	ck_assert(budget_take(&accounts[0], MAX / 2));
}
END_TEST

START_TEST(who_comes_next_finds_room_and_two_have_a_third_each)
{
	bool more = true;

	for (unsigned i = 0; i < 3; i++)
		budget_join(&accounts[i], BUDGET_OF_FUNCTION, &functions[i]);
	take_all(&accounts[0]);
	ck_assert_uint_eq(take_all(&accounts[1]), MAX / 4);
	ck_assert_uint_eq(take_all(&accounts[2]), MAX / 8);
	budget_give(&accounts[0], accounts[0].used);
	budget_give(&accounts[1], accounts[1].used);
	budget_give(&accounts[2], accounts[2].used);
	while (more) {
		more = budget_take(&accounts[0], 1);
		more |= budget_take(&accounts[1], 1);
	}
	ck_assert_uint_eq(accounts[0].used, MAX / 3);
	ck_assert_uint_eq(accounts[1].used, MAX / 3);
	ck_assert(budget_allows(&accounts[2], MAX / 6));
	ck_assert(!budget_allows(&accounts[2], MAX / 6 + 1));
}
END_TEST

START_TEST(a_client_gets_half_whatever_it_invokes)
{
	for (unsigned i = 0; i < 2; i++) {
		budget_join(&accounts[i], BUDGET_OF_CLIENT, &client);
		budget_join(&accounts[i], BUDGET_OF_FUNCTION, &functions[i]);
	}
	ck_assert(budget_take(&accounts[0], MAX / 3));
	ck_assert_uint_eq(take_all(&accounts[1]), MAX / 2 - MAX / 3);
	ck_assert_int_eq(accounts[1].refused, BUDGET_CLIENT_FULL);
	/* it leaves; what is still there counts for the functions */
	budget_leave(&accounts[0], BUDGET_OF_CLIENT);
	ck_assert_uint_eq(client.used, MAX / 2 - MAX / 3);
	ck_assert_uint_eq(functions[0].used, MAX / 3);
}
END_TEST

START_TEST(what_was_used_before_counts_for_the_share_that_is_joined)
{
	ck_assert(budget_take(&accounts[0], 100));
	budget_join(&accounts[0], BUDGET_OF_FUNCTION, &functions[0]);
	ck_assert_uint_eq(functions[0].used, 100);
	ck_assert(budget_take(&accounts[0], 10));
	budget_join(&accounts[0], BUDGET_OF_FUNCTION, &functions[1]);
	ck_assert_uint_eq(functions[0].used, 0);
	ck_assert_uint_eq(functions[1].used, 110);
	budget_close(&accounts[0]);
	ck_assert_uint_eq(functions[1].used, 0);
	/* closed, it counts for nothing */
	ck_assert(budget_take(&accounts[0], MAX + 1));
	budget_give(&accounts[0], MAX + 1);
	ck_assert_uint_eq(budget.used, 0);
}
END_TEST

START_TEST(what_has_to_be_is_taken_though_nothing_is_left)
{
	budget_join(&accounts[0], BUDGET_OF_FUNCTION, &functions[0]);
	budget_take_anyway(&accounts[0], 2 * MAX);
	ck_assert_uint_eq(budget.used, 2 * MAX);
	ck_assert_uint_eq(functions[0].used, 2 * MAX);
	ck_assert(!budget_allows(&accounts[1], 0));
	ck_assert_int_eq(accounts[1].refused, BUDGET_USED_UP);
	budget_give(&accounts[0], 2 * MAX);
	ck_assert(budget_allows(&accounts[1], 0));
}
END_TEST

/* Small amounts come from the purse, and others can have what it need not. */
START_TEST(a_purse_takes_in_advance)
{
	uint64_t step;

	budget_init(&budget, MAX, 1);
	step = budget.step;
	ck_assert_uint_gt(step, 1);
	ck_assert(budget_take(&accounts[0], 1));
	ck_assert_uint_eq(budget.used, 1 + step);
	ck_assert_uint_eq(purse.credit, step);
	ck_assert(budget_take(&accounts[0], step));
	ck_assert_uint_eq(budget.used, 1 + step);
	/* the last byte can be had though there is nothing to take in advance */
	ck_assert(budget_take(&accounts[1], MAX - 1 - step));
	ck_assert_uint_eq(budget.used, MAX);
	ck_assert(!budget_take(&accounts[1], 1));
	/* of what comes back two steps stay, never more */
	budget_give(&accounts[1], 2 * step);
	ck_assert_uint_eq(purse.credit, 2 * step);
	ck_assert_uint_eq(budget.used, MAX);
	ck_assert(budget_allows(&accounts[0], 2 * step));
	budget_give(&accounts[1], 1);
	ck_assert_uint_eq(purse.credit, step);
	ck_assert_uint_eq(budget.used, MAX - step - 1);
}
END_TEST

START_TEST(purses_have_an_eighth_of_it_at_most)
{
	budget_init(&budget, UINT64_C(1) << 40, 256);
	ck_assert_uint_eq(budget.step, 64 * 1024);
	budget_init(&budget, 1024 * 1024, 256);
	ck_assert_uint_le(256 * 2 * budget.step, budget.max / 8);
	budget_init(&budget, 1, 256);
	ck_assert_uint_eq(budget.step, 0);
	ck_assert(budget_take(&accounts[0], 1));
	ck_assert(!budget_take(&accounts[0], 1));
	budget_give(&accounts[0], 1);
	ck_assert_uint_eq(budget.used, 0);
}
END_TEST

START_TEST(without_a_budget_nothing_is_counted)
{
	struct budget_purse none = { .budget = NULL };

	budget_open(&accounts[0], &none);
	budget_join(&accounts[0], BUDGET_OF_FUNCTION, &functions[0]);
	budget_take_anyway(&accounts[0], 10 * MAX);
	ck_assert(budget_take(&accounts[0], 10 * MAX));
	ck_assert_uint_eq(functions[0].used, 0);
	ck_assert_uint_eq(none.credit, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("budget");
	TCase *tests = tcase_create("budget");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, without_shares_all_can_be_taken_and_no_more);
	tcase_add_test(tests, one_function_gets_half);
	tcase_add_test(tests,
		       who_comes_next_finds_room_and_two_have_a_third_each);
	tcase_add_test(tests, a_client_gets_half_whatever_it_invokes);
	tcase_add_test(tests,
		       what_was_used_before_counts_for_the_share_that_is_joined);
	tcase_add_test(tests, what_has_to_be_is_taken_though_nothing_is_left);
	tcase_add_test(tests, a_purse_takes_in_advance);
	tcase_add_test(tests, purses_have_an_eighth_of_it_at_most);
	tcase_add_test(tests, without_a_budget_nothing_is_counted);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
