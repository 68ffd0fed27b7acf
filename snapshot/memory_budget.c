/* memory_budget.c - see memory_budget.h */
#include "snapshot/memory_budget.h"

#include <errno.h>
#include <time.h>

#include "vm/clock.h"

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
	pthread_cond_init(&budget->booted, &attributes);
	pthread_condattr_destroy(&attributes);
}

void memory_budget_done(struct memory_budget *budget)
{
	pthread_cond_destroy(&budget->booted);
	pthread_mutex_destroy(&budget->lock);
}

static bool try(struct memory_budget *budget, uint64_t size)
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

/* In one, so that whoever finds the memory taken finds that there is a boot. */
static bool try_boot(struct memory_budget *budget, uint64_t size)
{
	bool has_begun;

	pthread_mutex_lock(&budget->lock);
	has_begun = try(budget, size);
	budget->booting += has_begun;
	pthread_mutex_unlock(&budget->lock);
	return has_begun;
}

typedef bool (*try_fn)(struct memory_budget *budget, uint64_t size);

static int take(struct memory_budget *budget, uint64_t size, try_fn try_once,
		bool for_boot, struct error *err)
{
	while (!try_once(budget, size))
		if (size > budget->max || !budget->spare ||
		    !budget->spare(budget, for_boot))
			return error_set(
				err, -EBUSY,
				"no memory for a vm of %llu MiB: vms and "
				"snapshots have %llu MiB of the %llu MiB of "
				"--max-memory, and no other vm is idle: try "
				"again, raise --max-memory, or lower memory or "
				"concurrency of functions",
				(unsigned long long)(size / MIB),
				(unsigned long long)(atomic_load(&budget->used) /
						     MIB),
				(unsigned long long)(budget->max / MIB));
	return 0;
}

int memory_budget_take(struct memory_budget *budget, uint64_t size,
		       struct error *err)
{
	return budget ? take(budget, size, try, false, err) : 0;
}

void memory_budget_give(struct memory_budget *budget, uint64_t size)
{
	if (budget)
		atomic_fetch_sub_explicit(&budget->used, size,
					  memory_order_relaxed);
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
 * Waits until more than @boots have ended, but no longer than one step. False:
 * none has, none is under way, and none was since *@quiet_ns, which is long ago.
 */
static bool wait_step(struct memory_budget *budget, uint64_t boots,
		      uint64_t *quiet_ns)
{
	const uint64_t now_ns = clock_now_ns();
	const uint64_t until_ns = now_ns + SNAPSHOT_PAUSE_NS;
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / NS_PER_S),
		.tv_nsec = (long)(until_ns % NS_PER_S),
	};
	bool is_quiet;
	int r = 0;

	pthread_mutex_lock(&budget->lock);
	is_quiet = !budget->booting && budget->boots == boots;
	if (!is_quiet)
		*quiet_ns = now_ns;
	else if (now_ns - *quiet_ns >= budget->patience_ns)
		r = -ETIMEDOUT;
	while (!r && budget->boots == boots)
		r = pthread_cond_timedwait(&budget->booted, &budget->lock,
					   &until);
	pthread_mutex_unlock(&budget->lock);
	return r != -ETIMEDOUT;
}

/* Vms that are freed tell nobody: it looks again after each step. */
static int take_later(struct memory_budget *budget, uint64_t size,
		      try_fn try_once, const struct snapshot_pause *pause,
		      struct error *err)
{
	uint64_t quiet_ns = clock_now_ns(), boots;

	do {
		boots = count_boots(budget);
		if (!take(budget, size, try_once, true, err))
			return 0;
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
	return budget ? take_later(budget, size, try, pause, err) : 0;
}

int memory_budget_boot(struct memory_budget *budget, uint64_t size,
		       const struct snapshot_pause *pause, struct error *err)
{
	return budget ? take_later(budget, size, try_boot, pause, err) : 0;
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
	pthread_cond_broadcast(&budget->booted);
	pthread_mutex_unlock(&budget->lock);
}
