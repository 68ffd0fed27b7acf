/* vm_internal.h - struct vm, for vm.c and vm/<arch>/. See vm.h. */
#ifndef VM_VM_INTERNAL_H
#define VM_VM_INTERNAL_H

#include <linux/kvm.h>
#include <stdint.h>

#include "vm/dirty.h"
#include "vm/kvm.h"
#include "vm/vm.h"
#include "vm/watchdog.h"

struct vm {
	const struct kvm_host *host;
	int fd;
	int vcpu_fd;
	struct kvm_run *run;
	uint8_t *memory;
	size_t memory_size;
	unsigned page_shift; /* host pages */
	struct dirty dirty;
	struct watch watch;
	bool spoiled; /* see vm_spoiled() */

	/* set by arch_vcpu_init() */
	uint64_t counter_hz;
	uint64_t counter_offset; /* guest counter - host counter */

	/* nanoseconds = ticks * mult >> shift */
	uint32_t counter_mult;
	uint32_t counter_shift;
};

#endif
