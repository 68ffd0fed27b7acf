/* test_timers.c - timers fire in order, each once, however they are changed. */
#include <check.h>
#include <stdlib.h>

#include "base/timers.h"

#define COUNT 500

static struct timers timers;
static uint64_t now, last;
static unsigned fired;

struct model {
	struct timer timer;
	uint64_t at_ns; /* when it is to fire; 0: not set */
};

static struct model all[COUNT];

static void fire(struct timer *timer)
{
	struct model *model = (struct model *)timer;

	ck_assert_uint_eq(timer->at_ns, model->at_ns);
	ck_assert_uint_le(timer->at_ns, now);
	ck_assert_uint_ge(timer->at_ns, last);
	last = timer->at_ns;
	model->at_ns = 0;
	fired++;
}

static uint64_t earliest(void)
{
	uint64_t at_ns = UINT64_MAX;

	for (int i = 0; i < COUNT; i++)
		if (all[i].at_ns && all[i].at_ns < at_ns)
			at_ns = all[i].at_ns;
	return at_ns;
}

START_TEST(timers_fire_in_order_whatever_is_done_to_them)
{
	unsigned due;

	srand(1);
	for (int i = 0; i < COUNT; i++)
		all[i].timer.fire = fire;
	for (int round = 0; round < 20000; round++) {
		struct model *model = &all[rand() % COUNT];

		switch (rand() % 4) {
		case 0:
			timer_clear(&timers, &model->timer);
			model->at_ns = 0;
			break;
		case 1:
			now += (uint64_t)(rand() % 50);
			due = 0;
			for (int i = 0; i < COUNT; i++)
				due += all[i].at_ns && all[i].at_ns <= now;
			fired = 0;
			last = 0;
			timers_fire(&timers, now);
			ck_assert_uint_eq(fired, due);
			break;
		default:
			model->at_ns = now + 1 + (uint64_t)(rand() % 1000);
			timer_set(&timers, &model->timer, model->at_ns);
		}
		ck_assert_uint_eq(timers_next(&timers), earliest());
	}
}
END_TEST

static unsigned repeats;

static void again(struct timer *timer)
{
	repeats++;
	timer_set(&timers, timer, timer->at_ns + 10);
}

START_TEST(a_timer_may_set_itself_again)
{
	struct timer timer = { .fire = again };

	timers.root = NULL;
	repeats = 0;
	timer_set(&timers, &timer, 10);
	timers_fire(&timers, 35);
	ck_assert_uint_eq(repeats, 3);
	ck_assert_uint_eq(timers_next(&timers), 40);
	timer_clear(&timers, &timer);
	timer_clear(&timers, &timer);
	ck_assert_uint_eq(timers_next(&timers), UINT64_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timers");
	TCase *group = tcase_create("timers");
	SRunner *runner;
	int failed;

	tcase_add_test(group, timers_fire_in_order_whatever_is_done_to_them);
	tcase_add_test(group, a_timer_may_set_itself_again);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
