/*
 * vm_internal.h - struct vm, for the files that run vms and for vm/<arch>/. See
 * vm.h.
 */
#ifndef VM_VM_INTERNAL_H
#define VM_VM_INTERNAL_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm/control.h"
#include "vm/dirty.h"
#include "vm/vm.h"
#include "vm/watchdog.h"

struct kvm_host;
struct poll;

struct vm {
	const struct kvm_host *host;
	int fd;
	int vcpu_fd;
	struct kvm_run *run;
	uint8_t *memory;
	size_t memory_size;
	struct dirty dirty;
	struct watch watch;
	bool spoiled; /* see vm_spoiled() */

	enum vm_gate gate;
	struct control control;
	uint64_t ended_at; /* the last run; the host's counter */

	/* what poll_attach() has set, or NULL; vm_free() calls free_poll() */
	struct poll *poll;
	void (*free_poll)(struct vm *vm);

	/* set by arch_vcpu_init(): */
	uint64_t done_address; /* where the stub rings DONE */
	uint64_t gate_address; /* where it enters the gate; 0: it has none */
	uint64_t counter_hz;
	uint64_t counter_offset; /* guest counter - host counter */

	/* nanoseconds = ticks * mult >> shift */
	uint32_t counter_mult;
	uint32_t counter_shift;
};

#endif
