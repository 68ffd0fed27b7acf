/*
 * floor.h - the least that running a guest can cost, for `thaw bench`.
 */
#ifndef VM_FLOOR_H
#define VM_FLOOR_H

#include "vm/vm.h"

/*
 * One bare KVM_RUN: from where @vm stands to its next exit, which is not looked
 * at. No registers are set, nothing is restored, no deadline watches: for a
 * guest that does nothing but ring the doorbell. 0 or -errno.
 */
int vm_floor_run(struct vm *vm);

#endif
