/* memory_budget.c - see memory_budget.h */
#include "snapshot/memory_budget.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define MIB ((uint64_t)1 << 20)

void memory_budget_init(struct memory_budget *budget, uint64_t max,
			bool (*spare)(struct memory_budget *budget,
				      bool for_boot))
{
	pthread_condattr_t attributes;

	*budget = (struct memory_budget){ .max = max, .spare = spare };
	pthread_mutex_init(&budget->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&budget->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void memory_budget_done(struct memory_budget *budget)
{
	pthread_cond_destroy(&budget->changed);
	pthread_mutex_destroy(&budget->lock);
}

static bool budget_try(struct memory_budget *budget, uint64_t size)
{
	uint64_t used =
		atomic_load_explicit(&budget->used, memory_order_relaxed);

	do
		if (size > budget->max || used > budget->max - size)
			return false;
	while (!atomic_compare_exchange_weak_explicit(&budget->used, &used,
						      used + size,
						      memory_order_relaxed,
						      memory_order_relaxed));
	return true;
}

/*
 * Takes the memory and counts the boot under one lock: so whoever finds the memory
 * taken finds the boot as well.
 */
static bool budget_try_boot(struct memory_budget *budget, uint64_t size)
{
	bool has_begun;

	pthread_mutex_lock(&budget->lock);
	has_begun = budget_try(budget, size);
	budget->booting += has_begun;
	pthread_mutex_unlock(&budget->lock);
	return has_begun;
}

typedef bool (*budget_try_fn)(struct memory_budget *budget, uint64_t size);

static struct timespec budget_timespec(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NS_PER_S),
				  .tv_nsec = (long)(ns % NS_PER_S) };
}

static uint64_t count_freed(struct memory_budget *budget)
{
	uint64_t freed;

	pthread_mutex_lock(&budget->lock);
	freed = budget->freed;
	pthread_mutex_unlock(&budget->lock);
	return freed;
}

/*
 * Waits until more than @freed vms were freed. False: none is being freed, or the
 * time is up.
 */
static bool wait_freed(struct memory_budget *budget, uint64_t freed,
		       uint64_t until_ns)
{
	const struct timespec until = budget_timespec(until_ns);
	bool has_freed;
	int r = 0;

	pthread_mutex_lock(&budget->lock);
	while (budget->freeing && budget->freed == freed && !r)
		r = pthread_cond_timedwait(&budget->changed, &budget->lock,
					   &until);
	has_freed = budget->freed != freed;
	pthread_mutex_unlock(&budget->lock);
	return has_freed && clock_now_ns() < until_ns;
}

static int budget_refuse(struct memory_budget *budget, uint64_t size,
			 struct error *err)
{
	return error_set(err, -EBUSY,
			 "no memory for a vm of %llu MiB: vms and snapshots "
			 "have %llu MiB of the %llu MiB of --max-memory, and "
			 "no other vm is idle: try again, raise --max-memory, "
			 "or lower memory or concurrency of functions",
			 (unsigned long long)(size / MIB),
			 (unsigned long long)(atomic_load(&budget->used) / MIB),
			 (unsigned long long)(budget->max / MIB));
}

static bool budget_spare(struct memory_budget *budget, bool for_boot)
{
	return budget->spare && budget->spare(budget, for_boot);
}

/* Vms that others have begun to free are not idle any more, but not freed yet. */
static int take_slowly(struct memory_budget *budget, uint64_t size,
		       struct error *err)
{
	const uint64_t until_ns = clock_now_ns() + MEMORY_BUDGET_FREEING_NS;
	uint64_t freed;

	do {
		freed = count_freed(budget);
		if (budget_try(budget, size))
			return 0;
	} while (budget_spare(budget, false) ||
		 wait_freed(budget, freed, until_ns));
	return budget_refuse(budget, size, err);
}

bool memory_budget_spare(struct memory_budget *budget)
{
	return budget && budget_spare(budget, false);
}

int memory_budget_take(struct memory_budget *budget, uint64_t size,
		       struct error *err)
{
	if (!budget || budget_try(budget, size))
		return 0;
	return size > budget->max ? budget_refuse(budget, size, err) :
				    take_slowly(budget, size, err);
}

int memory_budget_take_now(struct memory_budget *budget, uint64_t size)
{
	if (!budget)
		return 0;
	do
		if (budget_try(budget, size))
			return 0;
	while (size <= budget->max && budget_spare(budget, false));
	return -ENOMEM;
}

int memory_budget_take_place(struct memory_budget *budget, struct error *err)
{
	if (!budget || !budget->vms_max)
		return 0;
	do {
		if (atomic_fetch_add(&budget->vms, 1) < budget->vms_max)
			return 0;
		atomic_fetch_sub(&budget->vms, 1);
	} while (budget->spare(budget, false));
	return error_set(err, -EBUSY,
			 "there are %llu vms, as many as open files and "
			 "vm.max_map_count allow, and none is idle: raise these "
			 "limits, or lower --max-connections",
			 (unsigned long long)budget->vms_max);
}

void memory_budget_give_place(struct memory_budget *budget)
{
	if (budget && budget->vms_max)
		atomic_fetch_sub(&budget->vms, 1);
}

void memory_budget_give(struct memory_budget *budget, uint64_t size)
{
	if (budget)
		atomic_fetch_sub_explicit(&budget->used, size,
					  memory_order_relaxed);
}

void memory_budget_freeing(struct memory_budget *budget)
{
	if (!budget)
		return;
	pthread_mutex_lock(&budget->lock);
	budget->freeing++;
	pthread_mutex_unlock(&budget->lock);
}

void memory_budget_freed(struct memory_budget *budget, uint64_t size)
{
	if (!budget)
		return;
	memory_budget_give(budget, size);
	pthread_mutex_lock(&budget->lock);
	budget->freeing--;
	budget->freed++;
	pthread_cond_broadcast(&budget->changed);
	pthread_mutex_unlock(&budget->lock);
}

static uint64_t count_boots(struct memory_budget *budget)
{
	uint64_t boots;

	pthread_mutex_lock(&budget->lock);
	boots = budget->boots;
	pthread_mutex_unlock(&budget->lock);
	return boots;
}

/*
 * Waits until more than @boots boots have ended, but no longer than one step. False:
 * none has ended, and none has been under way since *@quiet_ns, for patience_ns.
 */
static bool wait_step(struct memory_budget *budget, uint64_t boots,
		      uint64_t *quiet_ns)
{
	const uint64_t now_ns = clock_now_ns();
	const struct timespec until =
		budget_timespec(now_ns + SNAPSHOT_PAUSE_NS);
	bool is_quiet;
	int r = 0;

	pthread_mutex_lock(&budget->lock);
	is_quiet = !budget->booting && budget->boots == boots;
	if (!is_quiet)
		*quiet_ns = now_ns;
	else if (now_ns - *quiet_ns >= budget->patience_ns)
		r = -ETIMEDOUT;
	while (!r && budget->boots == boots)
		r = pthread_cond_timedwait(&budget->changed, &budget->lock,
					   &until);
	pthread_mutex_unlock(&budget->lock);
	return r != -ETIMEDOUT;
}

/* Whoever frees a vm wakes nobody here: so it looks again after each step. */
static int take_later(struct memory_budget *budget, uint64_t size,
		      budget_try_fn try_once,
		      const struct snapshot_pause *pause, struct error *err)
{
	uint64_t quiet_ns = clock_now_ns(), boots;

	do {
		boots = count_boots(budget);
		do
			if (try_once(budget, size))
				return 0;
		while (size <= budget->max && budget_spare(budget, true));
		budget_refuse(budget, size, err);
		if (size > budget->max)
			return -ENOMEM;
		if (pause->call && pause->call(pause->cookie))
			return error_set(err, -ESHUTDOWN,
					 "its boot was stopped: it is not "
					 "needed any more");
	} while (wait_step(budget, boots, &quiet_ns));
	return -ENOMEM;
}

int memory_budget_wait(struct memory_budget *budget, uint64_t size,
		       const struct snapshot_pause *pause, struct error *err)
{
	return budget ? take_later(budget, size, budget_try, pause, err) : 0;
}

int memory_budget_boot(struct memory_budget *budget, uint64_t size,
		       const struct snapshot_pause *pause, struct error *err)
{
	return budget ? take_later(budget, size, budget_try_boot, pause, err) :
			0;
}

void memory_budget_booted(struct memory_budget *budget, uint64_t size,
			  uint64_t kept)
{
	if (!budget)
		return;
	memory_budget_give(budget, size > kept ? size - kept : 0);
	pthread_mutex_lock(&budget->lock);
	budget->booting--;
	budget->boots++;
	pthread_cond_broadcast(&budget->changed);
	pthread_mutex_unlock(&budget->lock);
}

struct memory_kept *memory_kept_create(struct memory_budget *budget)
{
	struct memory_kept *kept = calloc(1, sizeof(*kept));

	if (kept) {
		atomic_init(&kept->holders, 1);
		kept->budget = budget;
	}
	return kept;
}

void memory_kept_booted(struct memory_kept *kept, uint64_t size, uint64_t bytes)
{
	kept->bytes = bytes < size ? bytes : size;
	memory_budget_booted(kept->budget, size, kept->bytes);
}

struct memory_kept *memory_kept_hold(struct memory_kept *kept)
{
	if (kept)
		atomic_fetch_add(&kept->holders, 1);
	return kept;
}

void memory_kept_release(struct memory_kept *kept)
{
	if (!kept || atomic_fetch_sub(&kept->holders, 1) > 1)
		return;
	memory_budget_give(kept->budget, kept->bytes);
	free(kept);
}
