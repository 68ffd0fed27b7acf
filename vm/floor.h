/*
 * floor.h - the least that running a guest can cost, and parts of what a run costs, for
 * `thaw bench`.
 */
#ifndef VM_FLOOR_H
#define VM_FLOOR_H

#include <stdint.h>

#include "vm/vm.h"

/*
 * One bare KVM_RUN: from where @vm stands to its next exit, which is not looked
 * at. No registers are set, nothing is restored, no deadline watches: for a
 * guest that does nothing but ring the doorbell. 0 or -errno.
 */
int vm_floor_run(struct vm *vm);

/*
 * What vm_run() does before KVM_RUN and after it, for the exit that @vm made last: its
 * doorbell. 0 or -errno.
 */
int vm_floor_around(struct vm *vm, uint64_t deadline_ns);

#endif
