/* pool.c - hands out vms, most recently used first. See pool.h. */
#include "snapshot/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vm/clock.h"

struct pool {
	const struct snapshot *snapshot;
	struct pool_config config;
	pthread_mutex_t lock; /* of the rest */
	pthread_cond_t freed;
	struct vm **idle; /* a stack: the last one's memory is in the cache */
	size_t idle_count;
	size_t vm_count; /* idle and out */
	size_t waiting;
};

static int init_lock(struct pool *pool)
{
	pthread_condattr_t attributes;
	int r;

	r = pthread_condattr_init(&attributes);
	if (r)
		return -r;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	r = pthread_cond_init(&pool->freed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (!r)
		r = pthread_mutex_init(&pool->lock, NULL);
	return -r;
}

static int warm_up(struct pool *pool, struct error *err)
{
	while (pool->vm_count < pool->config.warm) {
		int r = snapshot_start(pool->snapshot, err,
				       &pool->idle[pool->idle_count]);

		if (r)
			return r;
		pool->idle_count++;
		pool->vm_count++;
	}
	return 0;
}

int pool_create(const struct snapshot *snapshot,
		const struct pool_config *config, struct error *err,
		struct pool **ret_pool)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	int r;

	if (!pool)
		return error_set(err, -ENOMEM, "no memory for a pool");
	pool->snapshot = snapshot;
	pool->config = *config;
	r = init_lock(pool);
	if (r) {
		free(pool);
		return error_set(err, r, "making a pool: %s", strerror(-r));
	}
	pool->idle = calloc(config->max, sizeof(struct vm *));
	if (!pool->idle)
		r = error_set(err, -ENOMEM, "no memory for a pool");
	else
		r = warm_up(pool, err);
	if (r) {
		pool_free(pool);
		return r;
	}
	*ret_pool = pool;
	return 0;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < pool->idle_count; i++)
		vm_free(pool->idle[i]);
	free(pool->idle);
	pthread_cond_destroy(&pool->freed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Waits, the lock held, until a vm is idle or may be made. */
static int wait_for_room(struct pool *pool, struct error *err)
{
	uint64_t until = clock_now_ns() + pool->config.queue_timeout_ns;
	const struct timespec deadline = {
		.tv_sec = (time_t)(until / NS_PER_S),
		.tv_nsec = (long)(until % NS_PER_S),
	};
	int r = 0;

	if (pool->waiting >= pool->config.queue)
		return error_set(err, -EBUSY,
				 "all %zu vms are busy and %zu callers wait: "
				 "raise concurrency.max or concurrency.queue",
				 pool->config.max, pool->waiting);
	pool->waiting++;
	while (!pool->idle_count && pool->vm_count >= pool->config.max && !r)
		r = pthread_cond_timedwait(&pool->freed, &pool->lock,
					   &deadline);
	pool->waiting--;
	if (!pool->idle_count && pool->vm_count >= pool->config.max)
		return error_set(err, -ETIMEDOUT,
				 "none of %zu vms became free within the "
				 "queue_timeout: raise concurrency.max or "
				 "concurrency.queue_timeout",
				 pool->config.max);
	return 0;
}

static void forget_one(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->vm_count--;
	pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->lock);
}

int pool_acquire(struct pool *pool, struct error *err, struct vm **ret_vm)
{
	struct vm *vm = NULL;
	int r = 0;

	pthread_mutex_lock(&pool->lock);
	if (!pool->idle_count && pool->vm_count >= pool->config.max)
		r = wait_for_room(pool, err);
	if (!r && pool->idle_count)
		vm = pool->idle[--pool->idle_count];
	else if (!r)
		pool->vm_count++; /* ours to make */
	pthread_mutex_unlock(&pool->lock);
	if (r)
		return r;
	if (!vm) {
		r = snapshot_start(pool->snapshot, err, &vm);
		if (r) {
			forget_one(pool);
			return r;
		}
	}
	*ret_vm = vm;
	return 0;
}

static void verify(const struct pool *pool, struct vm *vm)
{
	uint64_t gpa;

	if (snapshot_matches(pool->snapshot, vm, &gpa))
		return;
	fprintf(stderr,
		"thaw: BUG: after a restore, guest memory at %#llx differs "
		"from the snapshot\n",
		(unsigned long long)gpa);
	abort();
}

void pool_release(struct pool *pool, struct vm *vm, bool clean)
{
	if (snapshot_restore(pool->snapshot, vm, clean)) {
		vm_free(vm);
		forget_one(pool);
		return;
	}
	if (pool->config.verify)
		verify(pool, vm);
	pthread_mutex_lock(&pool->lock);
	pool->idle[pool->idle_count++] = vm;
	if (pool->waiting)
		pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->lock);
}
