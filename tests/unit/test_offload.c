/*
 * test_offload.c - all work runs once, none waits for a thread that may start, and
 * nobody has all of them.
 */
#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/offload.h"

#define THREADS 8
#define PER_SHARE 3
#define PIECES 1000

static _Atomic unsigned ran;
static sem_t gate, waiting;

struct numbered {
	struct offload_work work;
	_Atomic unsigned times;
};

static void count(struct offload_work *work)
{
	atomic_fetch_add(&((struct numbered *)work)->times, 1);
	atomic_fetch_add(&ran, 1);
}

static void block(struct offload_work *work)
{
	(void)work;
	sem_post(&waiting);
	sem_wait(&gate);
}

static struct offload_pool *create(unsigned threads)
{
	struct error err;
	struct offload_pool *offload;

	ck_assert_int_eq(offload_pool_create(
				 &(struct offload_config){
					 .name = "test-offload",
					 .threads = threads,
					 .per_share = PER_SHARE },
				 &err, &offload),
			 0);
	return offload;
}

static struct numbered pieces_of[THREADS][PIECES];

struct pusher {
	struct offload_pool *offload;
	struct numbered *mine;
};

static void *push_all(void *cookie)
{
	const struct pusher *pusher = cookie;

	for (int i = 0; i < PIECES; i++) {
		pusher->mine[i].work.run = count;
		offload_push(pusher->offload, NULL, &pusher->mine[i].work);
	}
	return NULL;
}

START_TEST(all_work_of_many_threads_runs_once)
{
	struct offload_pool *offload = create(4);
	struct pusher pushers[THREADS];
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++) {
		pushers[i] = (struct pusher){ offload, pieces_of[i] };
		pthread_create(&threads[i], NULL, push_all, &pushers[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	offload_pool_free(offload);
	ck_assert_uint_eq(ran, THREADS * PIECES);
	for (int i = 0; i < THREADS; i++)
		for (int j = 0; j < PIECES; j++)
			ck_assert_uint_eq(pieces_of[i][j].times, 1);
}
END_TEST

START_TEST(as_many_run_at_once_as_there_may_be_threads)
{
	struct offload_work blocked[THREADS + 2];
	struct offload_pool *offload = create(THREADS);
	unsigned threads, busy;

	sem_init(&gate, 0, 0);
	sem_init(&waiting, 0, 0);
	for (int i = 0; i < THREADS + 2; i++) {
		blocked[i].run = block;
		offload_push(offload, NULL, &blocked[i]);
	}
	for (int i = 0; i < THREADS; i++)
		sem_wait(&waiting);
	offload_count(offload, &threads, &busy);
	ck_assert_uint_eq(threads, THREADS);
	ck_assert_uint_eq(busy, THREADS);
	ck_assert_int_ne(sem_trywait(&waiting), 0);
	for (int i = 0; i < THREADS + 2; i++)
		sem_post(&gate);
	offload_pool_free(offload);
}
END_TEST

/* Work of two shares, which note the order in which they run. */
static char order[64];
static _Atomic unsigned ordered;

static void note_a(struct offload_work *work)
{
	(void)work;
	order[atomic_fetch_add(&ordered, 1)] = 'a';
}

static void note_b(struct offload_work *work)
{
	(void)work;
	order[atomic_fetch_add(&ordered, 1)] = 'b';
}

START_TEST(shares_take_turns_however_much_work_one_has)
{
	struct offload_share *a = offload_share_create(),
			     *b = offload_share_create();
	struct offload_work first = { .run = block }, of_a[8], of_b[2];
	struct offload_pool *offload = create(1);

	sem_init(&gate, 0, 0);
	sem_init(&waiting, 0, 0);
	ck_assert(offload_push(offload, NULL, &first));
	sem_wait(&waiting);
	ck_assert(!offload_is_waiting(offload, a));
	for (int i = 0; i < 8; i++) {
		of_a[i].run = note_a;
		ck_assert(!offload_push(offload, a, &of_a[i]));
	}
	for (int i = 0; i < 2; i++) {
		of_b[i].run = note_b;
		ck_assert(!offload_push(offload, b, &of_b[i]));
	}
	ck_assert(offload_is_waiting(offload, a));
	/* they go with their last work */
	offload_share_release(a);
	offload_share_release(b);
	sem_post(&gate);
	offload_pool_free(offload);
	ck_assert_str_eq(order, "ababaaaaaa");
}
END_TEST

START_TEST(a_share_leaves_threads_to_others)
{
	struct offload_share *a = offload_share_create(),
			     *b = offload_share_create();
	struct offload_work of_a[THREADS], of_b;
	struct offload_pool *offload = create(THREADS);
	unsigned threads, busy;

	sem_init(&gate, 0, 0);
	sem_init(&waiting, 0, 0);
	for (int i = 0; i < THREADS; i++) {
		of_a[i].run = block;
		ck_assert_int_eq(offload_push(offload, a, &of_a[i]),
				 i < PER_SHARE);
	}
	for (int i = 0; i < PER_SHARE; i++)
		sem_wait(&waiting);
	offload_count(offload, &threads, &busy);
	ck_assert_uint_eq(busy, PER_SHARE);
	/* nobody waits who could have a thread; but of its own share */
	ck_assert(!offload_is_waiting(offload, b));
	ck_assert(offload_is_waiting(offload, a));
	of_b.run = block;
	ck_assert(offload_push(offload, b, &of_b));
	sem_wait(&waiting);
	offload_count(offload, &threads, &busy);
	ck_assert_uint_eq(busy, PER_SHARE + 1);
	for (int i = 0; i < THREADS + 1; i++)
		sem_post(&gate);
	offload_share_release(a);
	offload_share_release(b);
	offload_pool_free(offload);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("offload");
	TCase *group = tcase_create("offload");
	SRunner *runner;
	int failed;

	tcase_set_timeout(group, 60);
	tcase_add_test(group, all_work_of_many_threads_runs_once);
	tcase_add_test(group, as_many_run_at_once_as_there_may_be_threads);
	tcase_add_test(group, shares_take_turns_however_much_work_one_has);
	tcase_add_test(group, a_share_leaves_threads_to_others);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
