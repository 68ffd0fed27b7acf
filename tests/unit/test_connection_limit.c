/*
 * test_connection_limit.c - how long a connection may wait: a timer is moved only to an
 * earlier time, and still fires for the time that was set last, and for no other.
 */
#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/unit/server_fixture.h"

static struct connection *connection;
static uint64_t now_ns;

/* An idle connection, which is closed when its limit is over. */
static void open_one(void)
{
	fixture_begin(1);
	connection = (struct connection *)fixture_open(LISTENER_HTTP);
	now_ns = clock_now_ns();
	/* sooner than an idle connection is closed anyway */
	connection_limit_to(connection, now_ns + 5 * NS_PER_S);
}

static bool closes_after(uint64_t s)
{
	timers_fire(&fixture.worker->timers, now_ns + s * NS_PER_S);
	return connection->closing;
}

static void close_one(void)
{
	fixture_settle(0);
	fixture_end_all();
	fixture_check();
	fixture_done();
}

START_TEST(a_limit_is_over_in_time)
{
	open_one();
	ck_assert(!closes_after(4));
	ck_assert(closes_after(5));
	close_one();
}
END_TEST

START_TEST(a_later_limit_does_not_move_the_timer_before_it_fires)
{
	open_one();
	connection_limit_to(connection, now_ns + 20 * NS_PER_S);
	ck_assert_uint_eq(connection->timer.at_ns, now_ns + 5 * NS_PER_S);
	ck_assert(!closes_after(5));
	ck_assert_uint_eq(connection->timer.at_ns, now_ns + 20 * NS_PER_S);
	ck_assert(!closes_after(19));
	ck_assert(closes_after(20));
	close_one();
}
END_TEST

START_TEST(an_earlier_limit_moves_the_timer_at_once)
{
	open_one();
	connection_limit_to(connection, now_ns + 3 * NS_PER_S);
	ck_assert(!closes_after(2));
	ck_assert(closes_after(3));
	close_one();
}
END_TEST

START_TEST(without_a_limit_nothing_is_over)
{
	open_one();
	connection_limit_none(connection);
	ck_assert(!closes_after(10));
	ck_assert(!closes_after(100));
	connection_limit_to(connection, now_ns + 110 * NS_PER_S);
	ck_assert(!closes_after(109));
	ck_assert(closes_after(110));
	close_one();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("connection_limit");
	TCase *tests = tcase_create("connection_limit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, a_limit_is_over_in_time);
	tcase_add_test(tests,
		       a_later_limit_does_not_move_the_timer_before_it_fires);
	tcase_add_test(tests, an_earlier_limit_moves_the_timer_at_once);
	tcase_add_test(tests, without_a_limit_nothing_is_over);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
