/* run.h - runs a vm by KVM_RUN, on the thread that calls: dispatch by exit. */
#ifndef VM_RUN_H
#define VM_RUN_H

#include <stdint.h>

#include "vm/exit.h"

struct vm;

/*
 * Runs the guest until it exits or @deadline_ns (CLOCK_MONOTONIC) has passed.
 * 0 and *@ret_exit, or -errno if KVM_RUN itself failed. A function that is done
 * and waits at the gate has rung DONE. No allocation, no lock.
 */
int vm_run(struct vm *vm, uint64_t deadline_ns, struct vm_exit *ret_exit);

/*
 * The same for a slice of time, which may be overrun a little: see
 * watch_arm_soft().
 */
int vm_run_slice(struct vm *vm, uint64_t end_ns, struct vm_exit *ret_exit);

#endif
