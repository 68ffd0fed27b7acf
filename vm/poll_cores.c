/* poll_cores.c - counts the cores that vcpus wait on. See poll_cores.h. */
#include "vm/poll_cores.h"

#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "base/hot.h"

static struct {
	_Atomic uint32_t bound;
	_Atomic uint32_t taken;
	_Atomic uint32_t assumed;
	_Atomic uint32_t reserved;
} cores = { .bound = POLL_CORES_DEFAULT, .reserved = 1 };

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

/* The bound, but for @reserved CPUs. */
static uint32_t cores_beside(uint32_t reserved)
{
	uint32_t bound = atomic_load(&cores.bound), cpus, rest;
	cpu_set_t set;

	if (atomic_load(&cores.assumed))
		return atomic_load(&cores.assumed);
	poll_cpus(&set);
	cpus = (uint32_t)CPU_COUNT(&set);
	rest = cpus > reserved ? cpus - reserved : 0;
	if (bound == POLL_CORES_DEFAULT)
		bound = cpus / 2;
	return bound < rest ? bound : rest;
}

uint32_t poll_cores(void)
{
	return cores_beside(1);
}

void poll_cores_reserve(uint32_t cpus)
{
	atomic_store(&cores.reserved, cpus ? cpus : 1);
}

uint32_t poll_cores_spare(void)
{
	return cores_beside(atomic_load(&cores.reserved));
}

bool poll_core_take(bool is_spare)
{
	uint32_t bound = is_spare ? poll_cores_spare() : poll_cores();
	uint32_t taken = atomic_load(&cores.taken);

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

HOT bool poll_cores_exceeded(void)
{
	return atomic_load(&cores.taken) > atomic_load(&cores.bound);
}
