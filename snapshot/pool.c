/* pool.c - hands out vms, most recently used first. See pool.h. */
#include "snapshot/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/hot.h"
#include "snapshot/restore.h"
#include "snapshot/snapshot.h"
#include "snapshot/start.h"
#include "vm/poll.h"
#include "vm/vm.h"

/* How many of the idle vms are looked at for one of the caller's thread. */
#define AFFINITY_LOOKS 16

struct idle_vm {
	struct vm *vm;
	uint64_t since_ns;
};

struct pool {
	struct snapshot *snapshot;
	struct pool_config config;
	size_t vm_size;	      /* what a vm takes of the budget */
	pthread_mutex_t lock; /* of the rest */
	/*
	 * In the order in which they were given back: the last one's memory is
	 * in the cache, the first one is the first to be freed.
	 */
	struct idle_vm *idle;
	size_t idle_count;
	size_t vm_count;		   /* idle and out */
	struct pool_waiter *first, **last; /* in the order of arrival */
	size_t waiting;
};

static bool pool_is_short(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

/*
 * Where files, mappings or memory are lacking, others give up idle vms for it. If that is
 * not enough, the caller may try again later.
 */
static int pool_start_vm(struct pool *pool, bool is_awaited, struct error *err,
			 struct vm **ret_vm)
{
	struct memory_budget *budget = pool->config.memory;
	int r;

	do
		r = snapshot_start(pool->snapshot, is_awaited, err, ret_vm);
	while (pool_is_short(r) && memory_budget_spare(budget));
	return pool_is_short(r) && budget ? -EBUSY : r;
}

/*
 * Makes a vm, for which the budget has given the memory. Whether it @is_awaited: see
 * snapshot_start().
 */
static int make_vm(struct pool *pool, bool is_awaited, struct error *err,
		   struct vm **ret_vm)
{
	int r = memory_budget_take_place(pool->config.memory, err);

	if (!r) {
		r = pool_start_vm(pool, is_awaited, err, ret_vm);
		if (r)
			memory_budget_give_place(pool->config.memory);
	}
	if (r)
		memory_budget_give(pool->config.memory, pool->vm_size);
	return r;
}

/* The caller has called memory_budget_freeing() before others could miss the vm. */
static void free_vm(struct pool *pool, struct vm *vm)
{
	vm_free(vm);
	memory_budget_give_place(pool->config.memory);
	memory_budget_freed(pool->config.memory, pool->vm_size);
}

static int warm_up(struct pool *pool, struct error *err)
{
	while (pool->vm_count < pool->config.warm) {
		struct idle_vm *idle = &pool->idle[pool->idle_count];
		int r = memory_budget_wait(pool->config.memory, pool->vm_size,
					   &pool->config.pause, err);

		if (!r)
			r = make_vm(pool, false, err, &idle->vm);
		if (r)
			return r;
		idle->since_ns = clock_now_ns();
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
	/* its memory, and what a call of a host function keeps of it */
	pool->vm_size = snapshot_layout(snapshot)->memory_size +
			2 * snapshot_layout(snapshot)->result_max;
	pool->last = &pool->first;
	pthread_mutex_init(&pool->lock, NULL);
	pool->idle = calloc(config->max, sizeof(*pool->idle));
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
	for (size_t i = 0; i < pool->idle_count; i++) {
		memory_budget_freeing(pool->config.memory);
		vm_disown(pool->idle[i].vm);
		free_vm(pool, pool->idle[i].vm);
	}
	free(pool->idle);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static void unlink_waiter(struct pool *pool, struct pool_waiter *waiter)
{
	struct pool_waiter **at = &pool->first;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	if (!waiter->next)
		pool->last = at;
	pool->waiting--;
}

/* Hands @vm, or the right to make one, to the first who waits. The lock is held. */
HOT static bool pool_serve(struct pool *pool, struct vm *vm, bool is_new)
{
	struct pool_waiter *waiter = pool->first;

	if (!waiter)
		return false;
	unlink_waiter(pool, waiter);
	waiter->is_served = true;
	waiter->vm = vm;
	waiter->is_new = is_new;
	waiter->served(waiter);
	return true;
}

/* Takes the idle vm at @at out of the idle ones. The lock is held. */
HOT static struct vm *take_idle_at(struct pool *pool, size_t at)
{
	struct vm *vm = pool->idle[at].vm;

	pool->idle_count--;
	if (at != pool->idle_count)
		memmove(&pool->idle[at], &pool->idle[at + 1],
			(pool->idle_count - at) * sizeof(*pool->idle));
	return vm;
}

/*
 * Takes an idle vm: of those used last, one that this thread ran last, since moving
 * a vcpu to another thread costs time. The lock is held.
 */
HOT static struct vm *take_idle(struct pool *pool)
{
	const size_t last = pool->idle_count - 1;
	const pthread_t self = pthread_self();

	for (size_t i = 0; i <= last && i < AFFINITY_LOOKS; i++)
		if (vm_ran_on(pool->idle[last - i].vm, self))
			return take_idle_at(pool, last - i);
	return take_idle_at(pool, last);
}

/* The lock is held. */
HOT static void join_line(struct pool *pool, struct pool_waiter *waiter)
{
	waiter->is_served = false;
	waiter->next = NULL;
	*pool->last = waiter;
	pool->last = &waiter->next;
	pool->waiting++;
}

/* pool_try(), with the lock held. */
HOT static int pool_try_locked(struct pool *pool, struct pool_waiter *waiter,
			       struct error *err, struct vm **ret_vm)
{
	*ret_vm = NULL;
	if (pool->idle_count) {
		*ret_vm = take_idle(pool);
		return 0;
	}
	if (pool->vm_count < pool->config.max) {
		pool->vm_count++; /* the caller's to make */
		return 0;
	}
	if (!waiter)
		return error_set(err, -EBUSY,
				 "all %zu vms are busy, and a call from another "
				 "function waits for none: raise "
				 "concurrency.max",
				 pool->config.max);
	if (pool->waiting >= pool->config.queue)
		return error_set(err, -EBUSY,
				 "all %zu vms are busy and %zu callers wait: "
				 "raise concurrency.max or concurrency.queue",
				 pool->config.max, pool->waiting);
	join_line(pool, waiter);
	return -EAGAIN;
}

HOT int pool_try(struct pool *pool, struct pool_waiter *waiter,
		 struct error *err, struct vm **ret_vm)
{
	int r;

	pthread_mutex_lock(&pool->lock);
	r = pool_try_locked(pool, waiter, err, ret_vm);
	pthread_mutex_unlock(&pool->lock);
	return r;
}

HOT int pool_try_growing(struct pool *pool, struct pool_waiter *waiter,
			 struct error *err, struct vm **ret_vm)
{
	int r;

	pthread_mutex_lock(&pool->lock);
	r = pool_try_locked(pool, waiter, err, ret_vm);
	if (!r && !*ret_vm && waiter) {
		join_line(pool, waiter);
		r = -EINPROGRESS;
	}
	pthread_mutex_unlock(&pool->lock);
	return r;
}

/* There is one vm less: another may be made. */
static void forget_one(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	if (!pool_serve(pool, NULL, false))
		pool->vm_count--;
	pthread_mutex_unlock(&pool->lock);
}

HOT static void pool_keep(struct pool *pool, struct vm *vm, bool is_new,
			  uint64_t now_ns)
{
	pthread_mutex_lock(&pool->lock);
	if (!pool_serve(pool, vm, is_new))
		pool->idle[pool->idle_count++] = (struct idle_vm){ vm, now_ns };
	pthread_mutex_unlock(&pool->lock);
}

HOT int pool_take(struct pool *pool, struct vm *vm, struct error *err,
		  struct vm **ret_vm)
{
	int r = 0;

	if (!vm) {
		r = memory_budget_take(pool->config.memory, pool->vm_size, err);
		if (!r)
			r = make_vm(pool, true, err, &vm);
	}
	if (r) {
		forget_one(pool);
		return r;
	}
	*ret_vm = vm;
	return 0;
}

/* Whether the vm that has been counted for a waiter need not be made any more. */
static bool is_in_vain(struct pool *pool)
{
	bool is;

	pthread_mutex_lock(&pool->lock);
	is = !pool->first && pool->vm_count > pool->config.warm;
	if (is)
		pool->vm_count--;
	pthread_mutex_unlock(&pool->lock);
	return is;
}

void pool_grow(struct pool *pool)
{
	struct vm *vm;

	if (!is_in_vain(pool) && !pool_take(pool, NULL, NULL, &vm))
		pool_keep(pool, vm, true, clock_now_ns());
}

/* Counts one more, unless there are as many as are to be warm. */
static bool count_warm(struct pool *pool)
{
	bool is_short;

	pthread_mutex_lock(&pool->lock);
	is_short = pool->vm_count < pool->config.warm;
	pool->vm_count += is_short;
	pthread_mutex_unlock(&pool->lock);
	return is_short;
}

size_t pool_warm_up(struct pool *pool)
{
	size_t count = 0;
	struct vm *vm;

	while (count_warm(pool)) {
		if (pool_take(pool, NULL, NULL, &vm))
			break;
		pool_keep(pool, vm, true, clock_now_ns());
		count++;
	}
	return count;
}

bool pool_leave(struct pool *pool, struct pool_waiter *waiter)
{
	bool in_line;

	pthread_mutex_lock(&pool->lock);
	in_line = !waiter->is_served;
	if (in_line)
		unlink_waiter(pool, waiter);
	pthread_mutex_unlock(&pool->lock);
	return in_line;
}

void pool_give_back(struct pool *pool, struct vm *vm)
{
	if (vm)
		pool_keep(pool, vm, false, clock_now_ns());
	else
		forget_one(pool);
}

void pool_count(struct pool *pool, unsigned *ret_idle, unsigned *ret_busy,
		unsigned *ret_waiting)
{
	pthread_mutex_lock(&pool->lock);
	*ret_idle = (unsigned)pool->idle_count;
	*ret_busy = (unsigned)(pool->vm_count - pool->idle_count);
	*ret_waiting = (unsigned)pool->waiting;
	pthread_mutex_unlock(&pool->lock);
}

/* A caller that waits in pool_acquire(), on its own stack. */
struct sleeper {
	struct pool_waiter waiter;
	pthread_cond_t served;
};

static void wake(struct pool_waiter *waiter)
{
	struct sleeper *sleeper = container_of(waiter, struct sleeper, waiter);

	pthread_cond_signal(&sleeper->served);
}

static void init_sleeper(struct sleeper *sleeper)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&sleeper->served, &attributes);
	pthread_condattr_destroy(&attributes);
}

/* Waits in line for a vm or the right to make one. The lock is held. */
static int wait_for_vm(struct pool *pool, struct sleeper *sleeper,
		       struct error *err, struct vm **ret_vm)
{
	uint64_t until = clock_now_ns() + pool->config.queue_timeout_ns;
	const struct timespec deadline = {
		.tv_sec = (time_t)(until / NS_PER_S),
		.tv_nsec = (long)(until % NS_PER_S),
	};
	int r = 0;

	init_sleeper(sleeper);
	while (!sleeper->waiter.is_served && !r)
		r = pthread_cond_timedwait(&sleeper->served, &pool->lock,
					   &deadline);
	pthread_cond_destroy(&sleeper->served);
	if (sleeper->waiter.is_served) {
		*ret_vm = sleeper->waiter.vm;
		return 0;
	}
	unlink_waiter(pool, &sleeper->waiter);
	return error_set(err, -EAGAIN,
			 "none of %zu vms became free within the "
			 "queue_timeout: raise concurrency.max or "
			 "concurrency.queue_timeout",
			 pool->config.max);
}

HOT struct vm *pool_acquire_idle(struct pool *pool)
{
	struct vm *vm;

	pthread_mutex_lock(&pool->lock);
	vm = pool->idle_count ? take_idle(pool) : NULL;
	pthread_mutex_unlock(&pool->lock);
	return vm;
}

int pool_acquire_now(struct pool *pool, struct error *err, struct vm **ret_vm)
{
	int r = pool_try(pool, NULL, err, ret_vm);

	return r ? r : pool_take(pool, *ret_vm, err, ret_vm);
}

int pool_acquire(struct pool *pool, struct error *err, struct vm **ret_vm)
{
	struct sleeper sleeper;
	struct vm *vm;
	int r;

	sleeper.waiter.served = wake;
	pthread_mutex_lock(&pool->lock);
	/* cppcheck-suppress autoVariables; it is unlinked before it ends */
	r = pool_try_locked(pool, &sleeper.waiter, err, &vm);
	if (r == -EAGAIN)
		r = wait_for_vm(pool, &sleeper, err, &vm);
	pthread_mutex_unlock(&pool->lock);
	return r ? r : pool_take(pool, vm, err, ret_vm);
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

/* A vm that is out is of no more use. */
static void give_up(struct pool *pool, struct vm *vm)
{
	memory_budget_freeing(pool->config.memory);
	free_vm(pool, vm);
	forget_one(pool);
}

HOT void pool_release(struct pool *pool, struct vm *vm, bool clean,
		      const struct vm_moment *now,
		      struct restore_stats *ret_stats)
{
	if (snapshot_restore(pool->snapshot, vm, clean, ret_stats)) {
		give_up(pool, vm);
		return;
	}
	if (ret_stats)
		ret_stats->took_ns =
			vm_counter_ns(vm, now->counter, vm_counter_now());
	if (pool->config.verify)
		verify(pool, vm);
	poll_rest(vm, now->monotonic_ns);
	pool_keep(pool, vm, false, now->monotonic_ns);
}

/* How many of the idle vms, the oldest ones, may be freed; the lock is held. */
static size_t spare_count(const struct pool *pool, bool warm_too)
{
	const size_t warm = warm_too ? 0 : pool->config.warm;
	const size_t count = pool->vm_count > warm ? pool->vm_count - warm : 0;

	return count < pool->idle_count ? count : pool->idle_count;
}

size_t pool_list_idle(struct pool *pool, bool warm_too, uint64_t *ret_since_ns,
		      size_t count)
{
	size_t spare;

	pthread_mutex_lock(&pool->lock);
	spare = spare_count(pool, warm_too);
	if (count > spare)
		count = spare;
	for (size_t i = 0; i < count; i++)
		ret_since_ns[i] = pool->idle[i].since_ns;
	pthread_mutex_unlock(&pool->lock);
	return count;
}

/* Whether there would be no vm for a request if one more were out. The lock is held. */
static bool is_last(const struct pool *pool)
{
	return pool->idle_count == 1 && pool->vm_count == pool->config.max;
}

/* Takes out the oldest vm that pool_shrink() is about. Its vm is NULL if there is none. */
static struct idle_vm take_unshrunk(struct pool *pool, bool warm_too,
				    uint64_t before_ns)
{
	struct idle_vm taken = { .vm = NULL };
	size_t count;

	pthread_mutex_lock(&pool->lock);
	count = is_last(pool) ? 0 : spare_count(pool, warm_too);
	for (size_t i = 0; i < count && !taken.vm; i++) {
		if (vm_dirty(pool->idle[i].vm)->is_shrunk ||
		    pool->idle[i].since_ns >= before_ns)
			continue;
		taken = pool->idle[i];
		(void)take_idle_at(pool, i);
	}
	pthread_mutex_unlock(&pool->lock);
	return taken;
}

/* Gives it back, as old as it was. */
static void put_shrunk(struct pool *pool, struct vm *vm, uint64_t since_ns)
{
	size_t at;

	pthread_mutex_lock(&pool->lock);
	if (!pool_serve(pool, vm, false)) {
		for (at = pool->idle_count++;
		     at && pool->idle[at - 1].since_ns > since_ns; at--)
			pool->idle[at] = pool->idle[at - 1];
		pool->idle[at] = (struct idle_vm){ vm, since_ns };
	}
	pthread_mutex_unlock(&pool->lock);
}

size_t pool_shrink(struct pool *pool, bool warm_too, uint64_t before_ns)
{
	struct idle_vm idle;
	size_t count = 0;

	while ((idle = take_unshrunk(pool, warm_too, before_ns)).vm) {
		if (snapshot_shrink(pool->snapshot, idle.vm)) {
			give_up(pool, idle.vm);
			continue;
		}
		if (pool->config.verify)
			verify(pool, idle.vm);
		put_shrunk(pool, idle.vm, idle.since_ns);
		count++;
	}
	return count;
}

/* Whoever wants a vm meanwhile may make one: this one does not count any more. */
bool pool_free_oldest(struct pool *pool, bool warm_too, uint64_t before_ns)
{
	struct vm *vm = NULL;

	pthread_mutex_lock(&pool->lock);
	if (spare_count(pool, warm_too) && pool->idle[0].since_ns < before_ns) {
		memory_budget_freeing(pool->config.memory);
		vm = take_idle_at(pool, 0);
		pool->vm_count--;
	}
	pthread_mutex_unlock(&pool->lock);
	if (vm)
		free_vm(pool, vm);
	return vm != NULL;
}

size_t pool_trim(struct pool *pool, bool warm_too, uint64_t before_ns)
{
	size_t count = 0;

	while (pool_free_oldest(pool, warm_too, before_ns))
		count++;
	return count;
}
