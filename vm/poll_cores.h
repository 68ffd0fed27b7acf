/*
 * poll_cores.h - how many vcpus of this process may wait for invocations in guest
 * mode (poll.h). Any thread.
 */
#ifndef VM_POLL_CORES_H
#define VM_POLL_CORES_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

/* Half of the CPUs that this process may use. */
#define POLL_CORES_DEFAULT UINT32_MAX

/*
 * Bounds how many vcpus wait at gates at a time; at first the bound is
 * POLL_CORES_DEFAULT. It is never more than all CPUs but one. 0: none waits.
 */
void poll_cores_set(uint32_t cores);

/*
 * For tests: assumes that there are so many cores, even if there is but one CPU,
 * on which waiting for each other takes long. 0: no more.
 */
void poll_cores_assume(uint32_t cores);

/* The bound now, with the CPUs that there are now. */
uint32_t poll_cores(void);

/*
 * Says how many CPUs the threads that run invocations need, such as the workers of a
 * server; at first 1. The others are spare.
 */
void poll_cores_reserve(uint32_t cpus);

/* How many of poll_cores() are spare. */
uint32_t poll_cores_spare(void);

/* Takes a core, if one is free, and, if @is_spare, only one that is spare. */
bool poll_core_take(bool is_spare);

/* Gives one back. */
void poll_core_give(void);

/* Takes one although none may be free. */
void poll_core_force(void);

/* Whether more are taken than the bound, which has been lowered, allows. */
bool poll_cores_exceeded(void);

/* The CPUs of the process; a thread of the user's may be bound to fewer. */
void poll_cpus(cpu_set_t *ret_set);

#endif
