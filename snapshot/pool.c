/* pool.c - hands out vms, most recently used first. See pool.h. */
#include "snapshot/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vm/clock.h"

/* A caller that waits, on its own stack, in the order of arrival. */
struct waiter {
	pthread_cond_t served;
	bool is_served;
	struct vm *vm; /* NULL: it may make one */
	struct waiter *next;
};

struct pool {
	struct snapshot *snapshot;
	struct pool_config config;
	pthread_mutex_t lock; /* of the rest */
	struct vm **idle; /* a stack: the last one's memory is in the cache */
	size_t idle_count;
	size_t vm_count; /* idle and out */
	struct waiter *first, **last;
	size_t waiting;
};

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

int pool_create(struct snapshot *snapshot, const struct pool_config *config,
		struct error *err, struct pool **ret_pool)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	int r;

	if (!pool)
		return error_set(err, -ENOMEM, "no memory for a pool");
	pool->snapshot = snapshot;
	pool->config = *config;
	pool->last = &pool->first;
	pthread_mutex_init(&pool->lock, NULL);
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
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static void init_waiter(struct waiter *waiter)
{
	pthread_condattr_t attributes;

	*waiter = (struct waiter){ .vm = NULL };
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&waiter->served, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void unlink_waiter(struct pool *pool, struct waiter *waiter)
{
	struct waiter **at = &pool->first;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	if (!waiter->next)
		pool->last = at;
	pool->waiting--;
}

/* Gives @vm, or leave to make one, to the first who waits; the lock is held. */
static bool serve(struct pool *pool, struct vm *vm)
{
	struct waiter *waiter = pool->first;

	if (!waiter)
		return false;
	unlink_waiter(pool, waiter);
	waiter->is_served = true;
	waiter->vm = vm;
	pthread_cond_signal(&waiter->served);
	return true;
}

/* Waits, the lock held, for a vm or leave to make one. */
static int wait_for_vm(struct pool *pool, struct error *err, struct vm **ret_vm)
{
	uint64_t until = clock_now_ns() + pool->config.queue_timeout_ns;
	const struct timespec deadline = {
		.tv_sec = (time_t)(until / NS_PER_S),
		.tv_nsec = (long)(until % NS_PER_S),
	};
	struct waiter waiter;
	int r = 0;

	if (pool->waiting >= pool->config.queue)
		return error_set(err, -EBUSY,
				 "all %zu vms are busy and %zu callers wait: "
				 "raise concurrency.max or concurrency.queue",
				 pool->config.max, pool->waiting);
	init_waiter(&waiter);
	*pool->last = &waiter;
	/* cppcheck-suppress autoVariables; it is unlinked before it ends */
	pool->last = &waiter.next;
	pool->waiting++;
	while (!waiter.is_served && !r)
		r = pthread_cond_timedwait(&waiter.served, &pool->lock,
					   &deadline);
	pthread_cond_destroy(&waiter.served);
	if (waiter.is_served) {
		*ret_vm = waiter.vm;
		return 0;
	}
	unlink_waiter(pool, &waiter);
	return error_set(err, -EAGAIN,
			 "none of %zu vms became free within the "
			 "queue_timeout: raise concurrency.max or "
			 "concurrency.queue_timeout",
			 pool->config.max);
}

/* One vm is no more: another may be made. */
static void forget_one(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	if (!serve(pool, NULL))
		pool->vm_count--;
	pthread_mutex_unlock(&pool->lock);
}

int pool_acquire(struct pool *pool, struct error *err, struct vm **ret_vm)
{
	struct vm *vm = NULL;
	int r = 0;

	pthread_mutex_lock(&pool->lock);
	if (pool->idle_count)
		vm = pool->idle[--pool->idle_count];
	else if (pool->vm_count < pool->config.max)
		pool->vm_count++; /* ours to make */
	else
		r = wait_for_vm(pool, err, &vm);
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

void pool_release(struct pool *pool, struct vm *vm, bool clean, uint64_t now_ns,
		  struct restore_stats *ret_stats)
{
	if (snapshot_restore(pool->snapshot, vm, clean, ret_stats)) {
		vm_free(vm);
		forget_one(pool);
		return;
	}
	if (pool->config.verify)
		verify(pool, vm);
	poll_rest(vm, now_ns);
	pthread_mutex_lock(&pool->lock);
	if (!serve(pool, vm))
		pool->idle[pool->idle_count++] = vm;
	pthread_mutex_unlock(&pool->lock);
}
