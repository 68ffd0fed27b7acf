/* test_buffer.c - buffers grow up to their bounds, their own and the common one. */
#include "base/buffer.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define KIB ((size_t)1024)

static struct budget budget;
static struct budget_purse purse = { .budget = &budget };
static struct budget_account account;
static struct buffer one, other;
static char bytes[200 * 1024];

static void start(void)
{
	budget = (struct budget){ .max = 64 * KIB };
	budget_open(&account, &purse);
	one = other = (struct buffer){
		.max = sizeof(bytes),
		.account = &account,
	};
}

static void stop(void)
{
	buffer_done(&one);
	buffer_done(&other);
	ck_assert_uint_eq(budget.used, 0);
}

START_TEST(a_buffer_has_its_own_bound)
{
	struct buffer buffer = BUFFER_INIT(1000);

	buffer_append(&buffer, bytes, 1000);
	ck_assert(!buffer.failed);
	ck_assert_uint_eq(buffer.size, 1000);
	buffer_append(&buffer, bytes, 1);
	ck_assert(buffer.failed);
	ck_assert_uint_eq(buffer.size, 1000);
	buffer_done(&buffer);
	ck_assert(!buffer.failed);
	buffer_append(&buffer, bytes, 1);
	ck_assert_uint_eq(buffer.size, 1);
	buffer_done(&buffer);
}
END_TEST

START_TEST(a_buffer_shrinks_if_it_has_much)
{
	buffer_append(&one, bytes, 2 * KIB);
	buffer_shrink(&one, 2 * KIB);
	ck_assert_uint_eq(one.size, 0);
	ck_assert_uint_eq(one.capacity, 2 * KIB);
	ck_assert_uint_eq(budget.used, 2 * KIB);
	buffer_shrink(&one, 2 * KIB - 1);
	ck_assert_uint_eq(one.capacity, 0);
	ck_assert_ptr_null(one.data);
	ck_assert_uint_eq(budget.used, 0);
}
END_TEST

START_TEST(the_first_byte_counts)
{
	budget.max = 0;
	buffer_append(&one, bytes, 1);
	ck_assert(one.failed);
	ck_assert_uint_eq(budget.used, 0);
	buffer_clear(&one);
	budget.max = KIB;
	buffer_append(&one, bytes, 1);
	ck_assert(!one.failed);
	ck_assert_uint_eq(budget.used, one.capacity);
}
END_TEST

START_TEST(what_is_used_by_one_is_not_there_for_another)
{
	buffer_append(&one, bytes, 32 * KIB);
	ck_assert_uint_eq(budget.used, 32 * KIB);
	ck_assert(budget_allows(&account, 0));
	buffer_append(&other, bytes, 32 * KIB);
	ck_assert(!other.failed);
	ck_assert(!budget_allows(&account, 0));
	buffer_append(&other, bytes, 1);
	ck_assert(other.failed);
	ck_assert_uint_eq(other.size, 32 * KIB);
	ck_assert_uint_eq(budget.used, 64 * KIB);
	buffer_done(&one);
	ck_assert_uint_eq(budget.used, 32 * KIB);
	buffer_clear(&other);
	buffer_append(&other, bytes, 64 * KIB);
	ck_assert(!other.failed);
}
END_TEST

START_TEST(one_that_may_exceed_is_counted_and_grows)
{
	one.may_exceed = true;
	buffer_append(&one, bytes, 128 * KIB);
	ck_assert(!one.failed);
	ck_assert_uint_eq(budget.used, 128 * KIB);
	buffer_append(&other, bytes, 20 * KIB);
	ck_assert(other.failed);
}
END_TEST

/* Much is announced, and little has come. */
START_TEST(room_is_made_for_as_much_as_is_there)
{
	char *to;

	one.max = 5 * KIB;
	buffer_append(&one, bytes, KIB);
	ck_assert_uint_eq(buffer_reserve_some(&one, 1, 200 * KIB, &to), KIB);
	ck_assert_ptr_eq(to, one.data + KIB);
	ck_assert_uint_eq(budget.used, 2 * KIB);
	/* what is left of it comes first */
	one.size = 2 * KIB - 1;
	ck_assert_uint_eq(buffer_reserve_some(&one, 1, 200 * KIB, &to), 1);
	ck_assert_uint_eq(budget.used, 2 * KIB);
	one.size = 2 * KIB;
	ck_assert_uint_eq(buffer_reserve_some(&one, 1, 10, &to), 10);
	one.size = 4 * KIB;
	ck_assert_uint_eq(buffer_reserve_some(&one, 1, 200 * KIB, &to), KIB);
	ck_assert_uint_eq(one.capacity, 5 * KIB);
	one.size = 5 * KIB;
	ck_assert_uint_eq(buffer_reserve_some(&one, 1, 1, &to), 0);
	ck_assert(!one.failed);
}
END_TEST

START_TEST(room_is_made_for_what_waits)
{
	char *to;

	buffer_append(&one, bytes, KIB);
	ck_assert_uint_eq(buffer_reserve_some(&one, 10 * KIB, 100 * KIB, &to),
			  15 * KIB);
	/* less than twice of what has come */
	ck_assert_uint_eq(budget.used, 16 * KIB);
	one.size = 16 * KIB;
	one.max = 20 * KIB;
	ck_assert_uint_eq(buffer_reserve_some(&one, 90 * KIB, 4 * KIB, &to),
			  4 * KIB);
	ck_assert_uint_eq(one.capacity, 20 * KIB);
}
END_TEST

START_TEST(room_for_which_there_is_no_memory_is_no_failure)
{
	char *to;

	buffer_append(&one, bytes, 64 * KIB);
	ck_assert_uint_eq(buffer_reserve_some(&one, 1, KIB, &to), 0);
	ck_assert(!one.failed);
	buffer_append(&one, bytes, 1);
	ck_assert(one.failed);
	ck_assert_uint_eq(buffer_reserve_some(&one, 1, KIB, &to), 0);
	ck_assert(one.failed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("buffer");
	TCase *tests = tcase_create("buffer");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, a_buffer_has_its_own_bound);
	tcase_add_test(tests, a_buffer_shrinks_if_it_has_much);
	tcase_add_test(tests, the_first_byte_counts);
	tcase_add_test(tests, what_is_used_by_one_is_not_there_for_another);
	tcase_add_test(tests, one_that_may_exceed_is_counted_and_grows);
	tcase_add_test(tests, room_is_made_for_as_much_as_is_there);
	tcase_add_test(tests, room_is_made_for_what_waits);
	tcase_add_test(tests, room_for_which_there_is_no_memory_is_no_failure);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
