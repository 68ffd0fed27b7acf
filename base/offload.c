/*
 * offload.c - threads for what takes time. See offload.h.
 *
 * Shares that have a job waiting, and may have one more thread, stand in a line:
 * the first one's first job is run, and the share goes to the end of the line.
 */
#include "base/offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"

struct job_share {
	_Atomic unsigned references; /* the owner's, and one for each job */
	/* the rest belongs to the lock of the struct jobs it is used with */
	struct job *first, **last;
	_Atomic unsigned queued; /* written with the lock held */
	unsigned running;
	bool in_line;
	struct job_share *next; /* in the line */
};

/*
 * A thread that sleeps, on its own stack. The last one to sleep is the first to be
 * woken, so that those that are too many sleep long enough to end.
 */
struct idler {
	pthread_cond_t wanted;
	bool is_wanted;
	struct idler *next;
};

struct jobs {
	struct jobs_config config;
	pthread_mutex_t lock; /* of the rest */
	struct idler *idlers; /* the one that began to sleep last is the first */
	pthread_cond_t ended;		 /* a thread has */
	struct job_share *first, **last; /* the line */
	/* how many stand in it; written with the lock held */
	_Atomic unsigned waiting;
	struct job_share common; /* of jobs without a share of their own */
	unsigned count, idle;	 /* threads */
	bool stopping;
};

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void init_share(struct job_share *share)
{
	*share = (struct job_share){ .references = 1, .last = &share->first };
}

struct job_share *job_share_create(void)
{
	struct job_share *share = malloc(sizeof(*share));

	if (share)
		init_share(share);
	return share;
}

void job_share_release(struct job_share *share)
{
	if (share && atomic_fetch_sub(&share->references, 1) == 1)
		free(share);
}

/* What belongs to no function is not bounded by a share: it is ours. */
static bool may_run(const struct jobs *jobs, const struct job_share *share)
{
	return share == &jobs->common ||
	       share->running < jobs->config.per_share;
}

static void *run(void *cookie);

/* One more thread; the lock is held. */
static int add_thread(struct jobs *jobs)
{
	sigset_t old;
	pthread_t thread;
	int r;

	pthread_sigmask(SIG_SETMASK, &jobs->config.blocked, &old);
	r = pthread_create(&thread, NULL, run, jobs);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return -r;
	pthread_detach(thread);
	jobs->count++;
	jobs->idle++;
	return 0;
}

/* Has a thread that sleeps look for something to do. The lock is held. */
static void call_idler(struct jobs *jobs)
{
	struct idler *idler = jobs->idlers;

	if (!idler)
		return;
	jobs->idlers = idler->next;
	idler->is_wanted = true;
	pthread_cond_signal(&idler->wanted);
}

/*
 * Puts @share in the line if it has a place there, and has a thread look at it.
 * The lock is held.
 */
static void stand_in_line(struct jobs *jobs, struct job_share *share)
{
	if (share->in_line || !share->first || !may_run(jobs, share))
		return;
	share->in_line = true;
	share->next = NULL;
	*jobs->last = share;
	jobs->last = &share->next;
	atomic_fetch_add_explicit(&jobs->waiting, 1, memory_order_relaxed);
	/* if it cannot be had, one of those there will come to it */
	if (jobs->waiting > jobs->idle && jobs->count < jobs->config.threads)
		(void)!add_thread(jobs);
	call_idler(jobs);
}

/*
 * The next job, and whose it is; or NULL. The caller is not idle any more then.
 * The lock is held.
 */
static struct job *take(struct jobs *jobs, struct job_share **ret_share)
{
	struct job_share *share = jobs->first;
	struct job *job;

	if (!share)
		return NULL;
	jobs->first = share->next;
	if (!jobs->first)
		jobs->last = &jobs->first;
	share->in_line = false;
	atomic_fetch_sub_explicit(&jobs->waiting, 1, memory_order_relaxed);
	job = share->first;
	share->first = job->next;
	if (!share->first)
		share->last = &share->first;
	share->queued--;
	share->running++;
	jobs->idle--;
	stand_in_line(jobs, share);
	*ret_share = share;
	return job;
}

/* A job of @share has ended. The lock is held. */
static void leave(struct jobs *jobs, struct job_share *share)
{
	share->running--;
	jobs->idle++;
	stand_in_line(jobs, share);
	job_share_release(share);
}

/* Takes @idler out of those that sleep, if it is there. */
static void forget_idler(struct jobs *jobs, const struct idler *idler)
{
	struct idler **at = &jobs->idlers;

	while (*at && *at != idler)
		at = &(*at)->next;
	if (*at)
		*at = idler->next;
}

/*
 * Waits for something to do, the lock held; false: there was nothing for long, or
 * there will not be.
 */
static bool wait_for_job(struct jobs *jobs)
{
	const uint64_t until_ns = clock_now_ns() + JOBS_IDLE_NS;
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / NS_PER_S),
		.tv_nsec = (long)(until_ns % NS_PER_S),
	};
	struct idler idler = { .next = jobs->idlers };
	int r = 0;

	if (jobs->stopping)
		return false;
	init_condition(&idler.wanted);
	/* cppcheck-suppress autoVariables; it is taken out before it ends */
	jobs->idlers = &idler;
	while (!idler.is_wanted && !r)
		r = pthread_cond_timedwait(&idler.wanted, &jobs->lock, &until);
	forget_idler(jobs, &idler);
	pthread_cond_destroy(&idler.wanted);
	return idler.is_wanted || jobs->first || jobs->count == 1;
}

static void *run(void *cookie)
{
	struct jobs *jobs = cookie;
	struct job_share *share;
	struct job *job;

	thread_be_patient(jobs->config.name, jobs->config.nice);
	pthread_mutex_lock(&jobs->lock);
	while ((job = take(jobs, &share)) || wait_for_job(jobs)) {
		if (!job)
			continue;
		pthread_mutex_unlock(&jobs->lock);
		job->run(job);
		pthread_mutex_lock(&jobs->lock);
		leave(jobs, share);
	}
	jobs->idle--;
	jobs->count--;
	pthread_cond_signal(&jobs->ended);
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

int jobs_create(const struct jobs_config *config, struct error *err,
		struct jobs **ret_jobs)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));
	int r = -ENOMEM;

	if (jobs) {
		jobs->config = *config;
		jobs->last = &jobs->first;
		init_share(&jobs->common);
		pthread_mutex_init(&jobs->lock, NULL);
		init_condition(&jobs->ended);
		pthread_mutex_lock(&jobs->lock);
		r = add_thread(jobs);
		pthread_mutex_unlock(&jobs->lock);
	}
	if (r) {
		free(jobs);
		return error_set(err, r, "starting a thread: %s", strerror(-r));
	}
	*ret_jobs = jobs;
	return 0;
}

/* Whether @share's last job has a thread to run on. The lock is held. */
static bool finds_thread(const struct jobs *jobs, const struct job_share *share)
{
	/* those that are there, and those that can be started */
	const unsigned free = jobs->idle + jobs->config.threads - jobs->count;

	return share->running + share->queued <= jobs->config.per_share &&
	       jobs->waiting + share->queued - 1 <= free;
}

bool jobs_push(struct jobs *jobs, struct job_share *share, struct job *job)
{
	bool at_once;

	if (!share)
		share = &jobs->common;
	job->next = NULL;
	atomic_fetch_add(&share->references, 1);
	pthread_mutex_lock(&jobs->lock);
	*share->last = job;
	share->last = &job->next;
	share->queued++;
	stand_in_line(jobs, share);
	at_once = finds_thread(jobs, share);
	pthread_mutex_unlock(&jobs->lock);
	return at_once;
}

bool jobs_are_waiting(struct jobs *jobs, const struct job_share *share)
{
	return atomic_load_explicit(&jobs->waiting, memory_order_relaxed) ||
	       atomic_load_explicit(&share->queued, memory_order_relaxed);
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
	while (jobs->idlers)
		call_idler(jobs);
	/* they still do what is there, and what that pushes */
	while (jobs->count)
		pthread_cond_wait(&jobs->ended, &jobs->lock);
	pthread_mutex_unlock(&jobs->lock);
	pthread_cond_destroy(&jobs->ended);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}
