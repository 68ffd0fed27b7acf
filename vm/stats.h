/*
 * stats.h - what KVM has counted of a vm: exits, page faults, ... For tests
 * and measurements: slow.
 */
#ifndef VM_STATS_H
#define VM_STATS_H

#include <stdint.h>

#include "vm/vm.h"

/*
 * Puts the counter that KVM calls @name, such as "exits", of the vcpu, or else
 * of the vm, into *@ret_value. -EOPNOTSUPP: this KVM tells none; -ENOENT: it
 * has none of that name.
 */
int vm_stat(const struct vm *vm, const char *name, uint64_t *ret_value);

#endif
