/* poll_cores.c - counts the cores that vcpus wait on. See poll_cores.h. */
#include "vm/poll_cores.h"

#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

static struct {
	_Atomic uint32_t bound;
	_Atomic uint32_t taken;
	_Atomic uint32_t assumed;
} cores = { .bound = POLL_CORES_DEFAULT };

void poll_cpus(cpu_set_t *set)
{
	if (sched_getaffinity(getpid(), sizeof(*set), set) &&
	    sched_getaffinity(0, sizeof(*set), set))
		CPU_ZERO(set);
}

void poll_cores_set(uint32_t count)
{
	atomic_store(&cores.bound, count);
}

void poll_cores_assume(uint32_t count)
{
	atomic_store(&cores.assumed, count);
}

uint32_t poll_cores(void)
{
	uint32_t bound = atomic_load(&cores.bound), cpus;
	cpu_set_t set;

	if (atomic_load(&cores.assumed))
		return atomic_load(&cores.assumed);
	poll_cpus(&set);
	cpus = (uint32_t)CPU_COUNT(&set);
	if (bound == POLL_CORES_DEFAULT)
		bound = cpus / 2;
	if (cpus == 0 || bound > cpus - 1)
		bound = cpus ? cpus - 1 : 0;
	return bound;
}

bool poll_core_take(void)
{
	uint32_t bound = poll_cores(), taken = atomic_load(&cores.taken);

	while (taken < bound)
		if (atomic_compare_exchange_weak(&cores.taken, &taken,
						 taken + 1))
			return true;
	return false;
}

void poll_core_give(void)
{
	atomic_fetch_sub(&cores.taken, 1);
}

void poll_core_force(void)
{
	atomic_fetch_add(&cores.taken, 1);
}

bool poll_cores_exceeded(void)
{
	return atomic_load(&cores.taken) > atomic_load(&cores.bound);
}
