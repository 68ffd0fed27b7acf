/* test_memory_budget.c - the bound of vms' and snapshots' memory */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "snapshot/memory_budget.h"

#define MAX ((uint64_t)100 << 20)
#define MIB ((uint64_t)1 << 20)

static struct memory_budget budget;
static const struct snapshot_pause no_pause = { NULL, NULL };
static unsigned spared;
static unsigned idle; /* what may be spared, of 10 MiB each */

static bool spare(struct memory_budget *mine, bool for_boot)
{
	(void)for_boot;
	ck_assert_ptr_eq(mine, &budget);
	if (!idle)
		return false;
	idle--;
	spared++;
	memory_budget_give(mine, 10 * MIB);
	return true;
}

static void set_up(void)
{
	spared = idle = 0;
	memory_budget_init(&budget, MAX, spare);
}

static void tear_down(void)
{
	memory_budget_done(&budget);
}

START_TEST(all_of_it_can_be_taken_and_no_more)
{
	struct error err;

	ck_assert_int_eq(memory_budget_take(&budget, MAX, &err), 0);
	ck_assert_int_eq(memory_budget_take(&budget, 1, &err), -EBUSY);
	ck_assert_ptr_nonnull(strstr(err.message, "100 MiB"));
	ck_assert_int_eq(memory_budget_wait(&budget, 1, &no_pause, &err),
			 -ENOMEM);
	ck_assert_int_eq(memory_budget_boot(&budget, 1, &no_pause, &err),
			 -ENOMEM);
	memory_budget_give(&budget, 1);
	ck_assert_int_eq(memory_budget_take(&budget, 2, &err), -EBUSY);
	ck_assert_int_eq(memory_budget_take(&budget, 1, &err), 0);
	memory_budget_give(&budget, MAX);
	/* no sum of them is too large to be compared */
	ck_assert_int_eq(memory_budget_take(&budget, UINT64_MAX, &err), -EBUSY);
	ck_assert_uint_eq(budget.used, 0);
}
END_TEST

START_TEST(as_much_is_spared_as_it_takes)
{
	struct error err;

	ck_assert_int_eq(memory_budget_take(&budget, MAX, &err), 0);
	idle = 5;
	ck_assert_int_eq(memory_budget_take(&budget, 21 * MIB, &err), 0);
	ck_assert_uint_eq(spared, 3);
	ck_assert_uint_eq(budget.used, MAX - 9 * MIB);
	ck_assert_int_eq(memory_budget_take(&budget, 30 * MIB, &err), -EBUSY);
	ck_assert_uint_eq(spared, 5);
	/* what never fits costs nobody anything */
	idle = 5;
	ck_assert_int_eq(memory_budget_take(&budget, MAX + 1, &err), -EBUSY);
	ck_assert_uint_eq(spared, 5);
}
END_TEST

START_TEST(who_does_not_wait_has_others_spare_theirs)
{
	struct error err;

	ck_assert_int_eq(memory_budget_take_now(&budget, MAX), 0);
	/* it is being freed by another */
	memory_budget_freeing(&budget);
	ck_assert_int_eq(memory_budget_take_now(&budget, 1), -ENOMEM);
	memory_budget_freed(&budget, 0);
	idle = 5;
	ck_assert_int_eq(memory_budget_take_now(&budget, 21 * MIB), 0);
	ck_assert_uint_eq(spared, 3);
	ck_assert_int_eq(memory_budget_take_now(&budget, MAX + 1), -ENOMEM);
	ck_assert_uint_eq(spared, 3);
	ck_assert_int_eq(memory_budget_take_now(NULL, UINT64_MAX), 0);
	ck_assert_int_eq(memory_budget_take(&budget, 9 * MIB, &err), 0);
}
END_TEST

START_TEST(a_boot_keeps_what_its_snapshot_takes)
{
	struct error err;

	ck_assert_int_eq(memory_budget_boot(&budget, MAX, &no_pause, &err), 0);
	ck_assert_uint_eq(budget.used, MAX);
	memory_budget_booted(&budget, MAX, 3 * MIB);
	ck_assert_uint_eq(budget.used, 3 * MIB);
	ck_assert_uint_eq(budget.booting, 0);
	ck_assert_int_eq(memory_budget_boot(NULL, MAX, &no_pause, &err), 0);
	memory_budget_booted(NULL, MAX, 0);
	ck_assert_int_eq(memory_budget_take(NULL, UINT64_MAX, &err), 0);
	memory_budget_give(NULL, 1);
}
END_TEST

#define THREADS 16
#define ROUNDS 200

/* Boots that do not fit beside one another, and others' warm vms. */
static void *boot(void *cookie)
{
	const uint64_t size = (uintptr_t)cookie % 2 ? MAX : 40 * MIB;
	intptr_t failures = 0;
	struct error err;

	for (int i = 0; i < ROUNDS; i++) {
		if (memory_budget_boot(&budget, size, &no_pause, &err)) {
			failures++;
			continue;
		}
		sched_yield();
		memory_budget_booted(&budget, size, 0);
	}
	return (void *)failures;
}

START_TEST(boots_wait_for_one_another_and_all_come_to_their_end)
{
	pthread_t threads[THREADS];
	void *failures;

	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, boot,
						(void *)i),
				 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failures);
		ck_assert_ptr_null(failures);
	}
	ck_assert_uint_eq(budget.used, 0);
	ck_assert_uint_eq(budget.booting, 0);
}
END_TEST

START_TEST(boots_that_never_fit_do_not_wait_for_one_another_for_ever)
{
	pthread_t threads[THREADS];
	struct error err;
	void *failures;

	ck_assert_int_eq(memory_budget_take(&budget, 70 * MIB, &err), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, boot,
						(void *)i),
				 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failures);
		ck_assert_int_eq((intptr_t)failures, ROUNDS);
	}
	ck_assert_uint_eq(budget.used, 70 * MIB);
}
END_TEST

/* A boot that waits, which is told to stop at the @stop_at-th pause. */
struct waiting {
	pthread_t thread;
	_Atomic unsigned pauses;
	unsigned stop_at;
	int result;
};

static bool pause_boot(void *cookie)
{
	struct waiting *waiting = cookie;

	return ++waiting->pauses == waiting->stop_at;
}

static void *boot_later(void *cookie)
{
	struct waiting *waiting = cookie;
	const struct snapshot_pause pause = { pause_boot, waiting };
	struct error err;

	waiting->result = memory_budget_boot(&budget, MAX, &pause, &err);
	if (!waiting->result)
		memory_budget_booted(&budget, MAX, 0);
	return NULL;
}

START_TEST(who_waits_passes_its_turn_on_and_can_be_stopped)
{
	struct waiting waiting = { .stop_at = 3 };
	struct error err;

	ck_assert_int_eq(memory_budget_boot(&budget, MAX, &no_pause, &err), 0);
	boot_later(&waiting);
	ck_assert_int_eq(waiting.result, -ESHUTDOWN);
	ck_assert_uint_eq(waiting.pauses, 3);
	memory_budget_booted(&budget, MAX, 0);
	ck_assert_uint_eq(budget.used, 0);
}
END_TEST

START_TEST(those_who_wait_do_not_wake_one_another)
{
	struct waiting waiting[2] = { { .stop_at = 0 }, { .stop_at = 0 } };
	struct error err;

	ck_assert_int_eq(memory_budget_boot(&budget, MAX, &no_pause, &err), 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&waiting[i].thread, NULL, boot_later,
			       &waiting[i]);
	/* without end, the one would look again while the other does */
	while (waiting[0].pauses + waiting[1].pauses < 20)
		sched_yield();
	ck_assert_uint_eq(budget.boots, 0);
	ck_assert_uint_eq(budget.booting, 1);
	memory_budget_booted(&budget, MAX, 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(waiting[i].thread, NULL);
		ck_assert_int_eq(waiting[i].result, 0);
	}
	ck_assert_uint_eq(budget.boots, 3);
}
END_TEST

static bool give_back(void *cookie)
{
	struct waiting *waiting = cookie;

	if (++waiting->pauses == 3)
		memory_budget_give(&budget, 70 * MIB);
	return false;
}

START_TEST(who_is_patient_gets_what_others_give_back)
{
	struct waiting waiting = { .stop_at = 0 };
	const struct snapshot_pause pause = { give_back, &waiting };
	struct error err;

	budget.patience_ns = 3600 * NS_PER_S;
	ck_assert_int_eq(memory_budget_take(&budget, 70 * MIB, &err), 0);
	ck_assert_int_eq(memory_budget_boot(&budget, MAX, &pause, &err), 0);
	memory_budget_booted(&budget, MAX, 70 * MIB);
	waiting.pauses = 0;
	ck_assert_int_eq(memory_budget_wait(&budget, MAX, &pause, &err), 0);
	/* what never fits is nothing to wait for */
	ck_assert_int_eq(memory_budget_wait(&budget, MAX + 1, &pause, &err),
			 -ENOMEM);
	/* and there is an end to it */
	budget.patience_ns = 1;
	ck_assert_int_eq(memory_budget_wait(&budget, MAX, &pause, &err),
			 -ENOMEM);
}
END_TEST

static _Atomic bool is_freed_by_another;

/* Nothing is idle any more: another thread is just freeing it. */
static bool spare_nothing(struct memory_budget *mine, bool for_boot)
{
	(void)for_boot;
	is_freed_by_another = mine->freeing;
	return false;
}

static void *take_vm(void *cookie)
{
	struct waiting *waiting = cookie;
	struct error err;

	waiting->result = memory_budget_take(&budget, 10 * MIB, &err);
	return NULL;
}

START_TEST(what_is_being_freed_is_waited_for)
{
	struct waiting waiting = { .result = 1 };
	struct error err;

	budget.spare = spare_nothing;
	ck_assert_int_eq(memory_budget_take(&budget, MAX, &err), 0);
	memory_budget_freeing(&budget);
	pthread_create(&waiting.thread, NULL, take_vm, &waiting);
	while (!is_freed_by_another)
		sched_yield();
	memory_budget_freed(&budget, 10 * MIB);
	pthread_join(waiting.thread, NULL);
	ck_assert_int_eq(waiting.result, 0);
	ck_assert_uint_eq(budget.freeing, 0);
	/* it is too little, or takes for ever */
	memory_budget_freeing(&budget);
	ck_assert_int_eq(memory_budget_take(&budget, 1, &err), -EBUSY);
	memory_budget_freed(&budget, 10 * MIB);
	ck_assert_int_eq(memory_budget_take(&budget, 11 * MIB, &err), -EBUSY);
	ck_assert_uint_eq(budget.used, MAX - 10 * MIB);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory_budget");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("memory_budget");
	int failed;

	tcase_set_timeout(group, 60);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, all_of_it_can_be_taken_and_no_more);
	tcase_add_test(group, as_much_is_spared_as_it_takes);
	tcase_add_test(group, who_does_not_wait_has_others_spare_theirs);
	tcase_add_test(group, a_boot_keeps_what_its_snapshot_takes);
	tcase_add_test(group,
		       boots_wait_for_one_another_and_all_come_to_their_end);
	tcase_add_test(
		group,
		boots_that_never_fit_do_not_wait_for_one_another_for_ever);
	tcase_add_test(group, who_waits_passes_its_turn_on_and_can_be_stopped);
	tcase_add_test(group, those_who_wait_do_not_wake_one_another);
	tcase_add_test(group, who_is_patient_gets_what_others_give_back);
	tcase_add_test(group, what_is_being_freed_is_waited_for);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
