/*
 * offload.c - the pool of threads. See offload.h.
 *
 * Shares that have work waiting, and may have one more thread, stand in a line. A
 * thread runs the first work of the first share, which goes to the line's end.
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

struct offload_share {
	_Atomic unsigned references; /* the owner's, and one for each work */
	/* the rest is guarded by the lock of its pool */
	struct offload_work *first, **last;
	_Atomic unsigned queued; /* written with the lock held */
	unsigned running;
	bool in_line;
	struct offload_share *next; /* in the line */
};

/*
 * A sleeping thread; on its stack. The last one to fall asleep is woken first, so
 * that threads that are not needed sleep long enough to end.
 */
struct idler {
	pthread_cond_t wanted;
	bool is_wanted;
	struct idler *next;
};

struct offload_pool {
	struct offload_config config;
	pthread_mutex_t lock; /* of the rest */
	struct idler *idlers; /* the one that began to sleep last is the first */
	pthread_cond_t ended;		     /* a thread has */
	struct offload_share *first, **last; /* the line */
	/* how many stand in it; written with the lock held */
	_Atomic unsigned waiting;
	struct offload_share common; /* of work without a share */
	unsigned count, idle;	     /* threads */
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

static void init_share(struct offload_share *share)
{
	*share = (struct offload_share){ .references = 1,
					 .last = &share->first };
}

struct offload_share *offload_share_create(void)
{
	struct offload_share *share = malloc(sizeof(*share));

	if (share)
		init_share(share);
	return share;
}

void offload_share_release(struct offload_share *share)
{
	if (share && atomic_fetch_sub(&share->references, 1) == 1)
		free(share);
}

/* Work without a share is not bounded. */
static bool may_run(const struct offload_pool *pool,
		    const struct offload_share *share)
{
	return share == &pool->common ||
	       share->running < pool->config.per_share;
}

static void *run_pool_thread(void *cookie);

/* Starts one more thread. The lock is held. */
static int add_thread(struct offload_pool *pool)
{
	sigset_t old;
	pthread_t thread;
	int r;

	pthread_sigmask(SIG_SETMASK, &pool->config.blocked, &old);
	r = pthread_create(&thread, NULL, run_pool_thread, pool);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return -r;
	pthread_detach(thread);
	pool->count++;
	pool->idle++;
	return 0;
}

/* Wakes a sleeping thread to look for work. The lock is held. */
static void call_idler(struct offload_pool *pool)
{
	struct idler *idler = pool->idlers;

	if (!idler)
		return;
	pool->idlers = idler->next;
	idler->is_wanted = true;
	pthread_cond_signal(&idler->wanted);
}

/*
 * Puts @share in the line if it may stand there, and has a thread look at it. The
 * lock is held.
 */
static void stand_in_line(struct offload_pool *pool,
			  struct offload_share *share)
{
	if (share->in_line || !share->first || !may_run(pool, share))
		return;
	share->in_line = true;
	share->next = NULL;
	*pool->last = share;
	pool->last = &share->next;
	atomic_fetch_add_explicit(&pool->waiting, 1, memory_order_relaxed);
	/* without a new thread, one of those there will come to it */
	if (pool->waiting > pool->idle && pool->count < pool->config.threads)
		(void)!add_thread(pool);
	call_idler(pool);
}

/*
 * Takes the next work, and its share, for the calling thread, which is not idle
 * any more then; NULL if there is none. The lock is held.
 */
static struct offload_work *take_work(struct offload_pool *pool,
				      struct offload_share **ret_share)
{
	struct offload_share *share = pool->first;
	struct offload_work *work;

	if (!share)
		return NULL;
	pool->first = share->next;
	if (!pool->first)
		pool->last = &pool->first;
	share->in_line = false;
	atomic_fetch_sub_explicit(&pool->waiting, 1, memory_order_relaxed);
	work = share->first;
	share->first = work->next;
	if (!share->first)
		share->last = &share->first;
	share->queued--;
	share->running++;
	pool->idle--;
	stand_in_line(pool, share);
	*ret_share = share;
	return work;
}

/* Work of @share has ended. The lock is held. */
static void end_work(struct offload_pool *pool, struct offload_share *share)
{
	share->running--;
	pool->idle++;
	stand_in_line(pool, share);
	offload_share_release(share);
}

/* Removes @idler from the sleeping threads, if it is there. */
static void forget_idler(struct offload_pool *pool, const struct idler *idler)
{
	struct idler **at = &pool->idlers;

	while (*at && *at != idler)
		at = &(*at)->next;
	if (*at)
		*at = idler->next;
}

/*
 * Waits for work, with the lock held. Returns false if the thread should end: it
 * has waited for OFFLOAD_IDLE_NS, or the pool ends.
 */
static bool wait_for_work(struct offload_pool *pool)
{
	const uint64_t until_ns = clock_now_ns() + OFFLOAD_IDLE_NS;
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / NS_PER_S),
		.tv_nsec = (long)(until_ns % NS_PER_S),
	};
	struct idler idler = { .next = pool->idlers };
	int r = 0;

	if (pool->stopping)
		return false;
	init_condition(&idler.wanted);
	/* cppcheck-suppress autoVariables; it is removed before it ends */
	pool->idlers = &idler;
	while (!idler.is_wanted && !r)
		r = pthread_cond_timedwait(&idler.wanted, &pool->lock, &until);
	forget_idler(pool, &idler);
	pthread_cond_destroy(&idler.wanted);
	return idler.is_wanted || pool->first || pool->count == 1;
}

static void *run_pool_thread(void *cookie)
{
	struct offload_pool *pool = cookie;
	struct offload_share *share;
	struct offload_work *work;

	thread_be_patient(pool->config.name, pool->config.nice);
	pthread_mutex_lock(&pool->lock);
	while ((work = take_work(pool, &share)) || wait_for_work(pool)) {
		if (!work)
			continue;
		pthread_mutex_unlock(&pool->lock);
		work->run(work);
		pthread_mutex_lock(&pool->lock);
		end_work(pool, share);
	}
	pool->idle--;
	pool->count--;
	pthread_cond_signal(&pool->ended);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

int offload_pool_create(const struct offload_config *config, struct error *err,
			struct offload_pool **ret_pool)
{
	struct offload_pool *pool = calloc(1, sizeof(*pool));
	int r = -ENOMEM;

	if (pool) {
		pool->config = *config;
		pool->last = &pool->first;
		init_share(&pool->common);
		pthread_mutex_init(&pool->lock, NULL);
		init_condition(&pool->ended);
		pthread_mutex_lock(&pool->lock);
		r = add_thread(pool);
		pthread_mutex_unlock(&pool->lock);
	}
	if (r) {
		free(pool);
		return error_set(err, r, "starting a thread: %s", strerror(-r));
	}
	*ret_pool = pool;
	return 0;
}

/* Whether @share's last work finds a thread. The lock is held. */
static bool finds_thread(const struct offload_pool *pool,
			 const struct offload_share *share)
{
	/* those that are there, and those that can be started */
	const unsigned free = pool->idle + pool->config.threads - pool->count;

	return share->running + share->queued <= pool->config.per_share &&
	       pool->waiting + share->queued - 1 <= free;
}

bool offload_push(struct offload_pool *pool, struct offload_share *share,
		  struct offload_work *work)
{
	bool at_once;

	if (!share)
		share = &pool->common;
	work->next = NULL;
	atomic_fetch_add(&share->references, 1);
	pthread_mutex_lock(&pool->lock);
	*share->last = work;
	share->last = &work->next;
	share->queued++;
	stand_in_line(pool, share);
	at_once = finds_thread(pool, share);
	pthread_mutex_unlock(&pool->lock);
	return at_once;
}

bool offload_is_waiting(struct offload_pool *pool,
			const struct offload_share *share)
{
	return atomic_load_explicit(&pool->waiting, memory_order_relaxed) ||
	       atomic_load_explicit(&share->queued, memory_order_relaxed);
}

void offload_count(struct offload_pool *pool, unsigned *ret_threads,
		   unsigned *ret_busy)
{
	pthread_mutex_lock(&pool->lock);
	*ret_threads = pool->count;
	*ret_busy = pool->count - pool->idle;
	pthread_mutex_unlock(&pool->lock);
}

void offload_pool_free(struct offload_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	while (pool->idlers)
		call_idler(pool);
	/* they still run what is there, and what that pushes */
	while (pool->count)
		pthread_cond_wait(&pool->ended, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_destroy(&pool->ended);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
