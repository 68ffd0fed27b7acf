/* jobs.c - threads for what takes time. See jobs.h. */
#include "executor/server/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "vm/watchdog.h"

struct jobs {
	pthread_mutex_t lock; /* of the rest */
	pthread_cond_t pushed;
	struct job *first, **last;
	pthread_t *threads;
	unsigned max, count, idle;
	int nice;
	bool stopping;
};

static void *run(void *cookie)
{
	struct jobs *jobs = cookie;
	struct job *job;

	/* for this thread alone; where it is forbidden, so be it */
	if (jobs->nice)
		(void)!setpriority(PRIO_PROCESS, (id_t)gettid(), jobs->nice);
	pthread_mutex_lock(&jobs->lock);
	for (;;) {
		while (!jobs->first && !jobs->stopping)
			pthread_cond_wait(&jobs->pushed, &jobs->lock);
		job = jobs->first;
		if (!job)
			break;
		jobs->first = job->next;
		if (!jobs->first)
			jobs->last = &jobs->first;
		jobs->idle--;
		pthread_mutex_unlock(&jobs->lock);
		job->run(job);
		pthread_mutex_lock(&jobs->lock);
		jobs->idle++;
	}
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

/* One more thread; the lock is held, or nobody else is there yet. */
static int add_thread(struct jobs *jobs)
{
	sigset_t blocked, old;
	int r;

	watch_signals(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &old);
	r = pthread_create(&jobs->threads[jobs->count], NULL, run, jobs);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return -r;
	jobs->count++;
	jobs->idle++;
	return 0;
}

int jobs_create(unsigned threads, int nice, struct error *err,
		struct jobs **ret_jobs)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));
	int r = -ENOMEM;

	if (jobs)
		jobs->threads = calloc(threads, sizeof(*jobs->threads));
	if (jobs && jobs->threads) {
		jobs->max = threads;
		jobs->nice = nice;
		jobs->last = &jobs->first;
		pthread_mutex_init(&jobs->lock, NULL);
		pthread_cond_init(&jobs->pushed, NULL);
		r = add_thread(jobs);
	}
	if (r) {
		free(jobs ? jobs->threads : NULL);
		free(jobs);
		return error_set(err, r, "starting a thread: %s", strerror(-r));
	}
	*ret_jobs = jobs;
	return 0;
}

void jobs_push(struct jobs *jobs, struct job *job)
{
	unsigned waiting = 0;

	job->next = NULL;
	pthread_mutex_lock(&jobs->lock);
	*jobs->last = job;
	jobs->last = &job->next;
	for (const struct job *j = jobs->first; j && waiting <= jobs->idle;
	     j = j->next)
		waiting++;
	/* if it cannot be had, one of those there will come to it */
	if (waiting > jobs->idle && jobs->count < jobs->max)
		(void)!add_thread(jobs);
	pthread_cond_signal(&jobs->pushed);
	pthread_mutex_unlock(&jobs->lock);
}

void jobs_count(struct jobs *jobs, unsigned *ret_threads, unsigned *ret_busy)
{
	pthread_mutex_lock(&jobs->lock);
	*ret_threads = jobs->count;
	*ret_busy = jobs->count - jobs->idle;
	pthread_mutex_unlock(&jobs->lock);
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	pthread_mutex_lock(&jobs->lock);
	jobs->stopping = true;
	pthread_cond_broadcast(&jobs->pushed);
	pthread_mutex_unlock(&jobs->lock);
	/* none is added any more: nobody pushes */
	for (unsigned i = 0; i < jobs->count; i++)
		pthread_join(jobs->threads[i], NULL);
	pthread_cond_destroy(&jobs->pushed);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs->threads);
	free(jobs);
}
