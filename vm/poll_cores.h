/*
 * poll_cores.h - the cores that vcpus wait on, for poll.c. What is for others is
 * in poll.h.
 */
#ifndef VM_POLL_CORES_H
#define VM_POLL_CORES_H

#include <sched.h>
#include <stdbool.h>

#include "vm/poll.h"

/* Takes a core, if there is one to be had; gives one back. */
bool poll_core_take(void);
void poll_core_give(void);

/* Takes one although there may be none. */
void poll_core_force(void);

/* Whether more are taken than the bound, which has been lowered, allows. */
bool poll_cores_exceeded(void);

/* The CPUs of the process: a thread of the user's may be bound to one. */
void poll_cpus(cpu_set_t *ret_set);

#endif
