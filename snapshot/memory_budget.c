/* memory_budget.c - see memory_budget.h */
#include "snapshot/memory_budget.h"

#include <errno.h>

#define MIB ((uint64_t)1 << 20)

void memory_budget_init(struct memory_budget *budget, uint64_t max,
			bool (*spare)(struct memory_budget *budget))
{
	*budget = (struct memory_budget){ .max = max, .spare = spare };
	pthread_mutex_init(&budget->lock, NULL);
	pthread_cond_init(&budget->booted, NULL);
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

int memory_budget_take(struct memory_budget *budget, uint64_t size,
		       struct error *err)
{
	if (!budget)
		return 0;
	while (!try(budget, size))
		if (size > budget->max || !budget->spare ||
		    !budget->spare(budget))
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

void memory_budget_give(struct memory_budget *budget, uint64_t size)
{
	if (budget)
		atomic_fetch_sub_explicit(&budget->used, size,
					  memory_order_relaxed);
}

/* Counts one who boots, or boots no more; returns how many boots have ended. */
static uint64_t count_boot(struct memory_budget *budget, int more)
{
	uint64_t boots;

	pthread_mutex_lock(&budget->lock);
	budget->booting += (unsigned)more;
	if (more < 0) {
		budget->boots++;
		pthread_cond_broadcast(&budget->booted);
	}
	boots = budget->boots;
	pthread_mutex_unlock(&budget->lock);
	return boots;
}

/* Waits until more than @boots have ended; false: none is under way. */
static bool wait_for_boot(struct memory_budget *budget, uint64_t boots)
{
	bool has_ended;

	pthread_mutex_lock(&budget->lock);
	while (budget->booting && budget->boots == boots)
		pthread_cond_wait(&budget->booted, &budget->lock);
	has_ended = budget->boots != boots;
	pthread_mutex_unlock(&budget->lock);
	return has_ended;
}

int memory_budget_wait(struct memory_budget *budget, uint64_t size,
		       struct error *err)
{
	uint64_t boots;
	int r;

	if (!budget)
		return 0;
	do {
		boots = count_boot(budget, 0);
		r = memory_budget_take(budget, size, err);
	} while (r && wait_for_boot(budget, boots));
	return r ? -ENOMEM : 0;
}

/* It boots before it takes, so that others wait for it; not it for itself. */
int memory_budget_boot(struct memory_budget *budget, uint64_t size,
		       struct error *err)
{
	uint64_t boots;

	if (!budget)
		return 0;
	do {
		boots = count_boot(budget, 1);
		if (!memory_budget_take(budget, size, err))
			return 0;
		count_boot(budget, -1);
	} while (wait_for_boot(budget, boots + 1));
	return -ENOMEM;
}

void memory_budget_booted(struct memory_budget *budget, uint64_t size,
			  uint64_t kept)
{
	if (!budget)
		return;
	memory_budget_give(budget, size > kept ? size - kept : 0);
	count_boot(budget, -1);
}
