/*
 * test_jobs.c - every job runs once, none waits for a thread that may start, and
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
#define JOBS 1000

static _Atomic unsigned ran;
static sem_t gate, waiting;

struct numbered {
	struct job job;
	_Atomic unsigned times;
};

static void count(struct job *job)
{
	atomic_fetch_add(&((struct numbered *)job)->times, 1);
	atomic_fetch_add(&ran, 1);
}

static void block(struct job *job)
{
	(void)job;
	sem_post(&waiting);
	sem_wait(&gate);
}

static struct jobs *create(unsigned threads)
{
	struct error err;
	struct jobs *jobs;

	ck_assert_int_eq(jobs_create(&(struct jobs_config){ .name = "test-job",
							    .threads = threads,
							    .per_share =
								    PER_SHARE },
				     &err, &jobs),
			 0);
	return jobs;
}

static struct numbered jobs_of[THREADS][JOBS];

struct pusher {
	struct jobs *jobs;
	struct numbered *mine;
};

static void *push_all(void *cookie)
{
	const struct pusher *pusher = cookie;

	for (int i = 0; i < JOBS; i++) {
		pusher->mine[i].job.run = count;
		jobs_push(pusher->jobs, NULL, &pusher->mine[i].job);
	}
	return NULL;
}

START_TEST(each_job_of_many_threads_runs_once)
{
	struct jobs *jobs = create(4);
	struct pusher pushers[THREADS];
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++) {
		pushers[i] = (struct pusher){ jobs, jobs_of[i] };
		pthread_create(&threads[i], NULL, push_all, &pushers[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	jobs_free(jobs);
	ck_assert_uint_eq(ran, THREADS * JOBS);
	for (int i = 0; i < THREADS; i++)
		for (int j = 0; j < JOBS; j++)
			ck_assert_uint_eq(jobs_of[i][j].times, 1);
}
END_TEST

START_TEST(as_many_run_at_once_as_there_may_be_threads)
{
	struct job blocked[THREADS + 2];
	struct jobs *jobs = create(THREADS);
	unsigned threads, busy;

	sem_init(&gate, 0, 0);
	sem_init(&waiting, 0, 0);
	for (int i = 0; i < THREADS + 2; i++) {
		blocked[i].run = block;
		jobs_push(jobs, NULL, &blocked[i]);
	}
	for (int i = 0; i < THREADS; i++)
		sem_wait(&waiting);
	jobs_count(jobs, &threads, &busy);
	ck_assert_uint_eq(threads, THREADS);
	ck_assert_uint_eq(busy, THREADS);
	ck_assert_int_ne(sem_trywait(&waiting), 0);
	for (int i = 0; i < THREADS + 2; i++)
		sem_post(&gate);
	jobs_free(jobs);
}
END_TEST

/* Jobs of two shares, which note the order in which they run. */
static char order[64];
static _Atomic unsigned ordered;

static void note_a(struct job *job)
{
	(void)job;
	order[atomic_fetch_add(&ordered, 1)] = 'a';
}

static void note_b(struct job *job)
{
	(void)job;
	order[atomic_fetch_add(&ordered, 1)] = 'b';
}

START_TEST(shares_take_turns_however_many_jobs_one_has)
{
	struct job_share *a = job_share_create(), *b = job_share_create();
	struct job first = { .run = block }, of_a[8], of_b[2];
	struct jobs *jobs = create(1);

	sem_init(&gate, 0, 0);
	sem_init(&waiting, 0, 0);
	ck_assert(jobs_push(jobs, NULL, &first));
	sem_wait(&waiting);
	ck_assert(!jobs_are_waiting(jobs, a));
	for (int i = 0; i < 8; i++) {
		of_a[i].run = note_a;
		ck_assert(!jobs_push(jobs, a, &of_a[i]));
	}
	for (int i = 0; i < 2; i++) {
		of_b[i].run = note_b;
		ck_assert(!jobs_push(jobs, b, &of_b[i]));
	}
	ck_assert(jobs_are_waiting(jobs, a));
	/* they go with their last jobs */
	job_share_release(a);
	job_share_release(b);
	sem_post(&gate);
	jobs_free(jobs);
	ck_assert_str_eq(order, "ababaaaaaa");
}
END_TEST

START_TEST(a_share_leaves_threads_to_others)
{
	struct job_share *a = job_share_create(), *b = job_share_create();
	struct job of_a[THREADS], of_b;
	struct jobs *jobs = create(THREADS);
	unsigned threads, busy;

	sem_init(&gate, 0, 0);
	sem_init(&waiting, 0, 0);
	for (int i = 0; i < THREADS; i++) {
		of_a[i].run = block;
		ck_assert_int_eq(jobs_push(jobs, a, &of_a[i]), i < PER_SHARE);
	}
	for (int i = 0; i < PER_SHARE; i++)
		sem_wait(&waiting);
	jobs_count(jobs, &threads, &busy);
	ck_assert_uint_eq(busy, PER_SHARE);
	/* nobody waits who could have a thread; but of its own share */
	ck_assert(!jobs_are_waiting(jobs, b));
	ck_assert(jobs_are_waiting(jobs, a));
	of_b.run = block;
	ck_assert(jobs_push(jobs, b, &of_b));
	sem_wait(&waiting);
	jobs_count(jobs, &threads, &busy);
	ck_assert_uint_eq(busy, PER_SHARE + 1);
	for (int i = 0; i < THREADS + 1; i++)
		sem_post(&gate);
	job_share_release(a);
	job_share_release(b);
	jobs_free(jobs);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("jobs");
	TCase *group = tcase_create("jobs");
	SRunner *runner;
	int failed;

	tcase_set_timeout(group, 60);
	tcase_add_test(group, each_job_of_many_threads_runs_once);
	tcase_add_test(group, as_many_run_at_once_as_there_may_be_threads);
	tcase_add_test(group, shares_take_turns_however_many_jobs_one_has);
	tcase_add_test(group, a_share_leaves_threads_to_others);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
