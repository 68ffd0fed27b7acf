/* vm_internal.h - struct vm, for vm.c and vm/<arch>/. See vm.h. */
#ifndef VM_VM_INTERNAL_H
#define VM_VM_INTERNAL_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest/abi/thaw_abi.h"
#include "vm/dirty.h"
#include "vm/kvm.h"
#include "vm/poll.h"
#include "vm/vm.h"
#include "vm/watchdog.h"

/* Polled dispatch: see poll.c, which alone looks inside. */
struct poll {
	_Atomic uint32_t turn;	 /* futex: who may touch the vcpu */
	_Atomic uint32_t asleep; /* futex: the owner sleeps until the end */
	_Atomic bool is_resting; /* no invocation; the watchdog is armed */
	pthread_t thread;	 /* the vcpu's, if has_thread */
	bool has_thread;
	bool may_be_late;    /* poll_allow_late_thread() */
	struct vm_exit exit; /* the thread's, until the turn is OUT */
	uint64_t idle_at;    /* when the guest last rang that it is idle */
	int result;

	/* the owner's */
	uint32_t go;		/* the number of the invocation */
	bool is_new;		/* the next run begins an invocation */
	bool at_gate;		/* it begins by GO, not at the entry stub */
	bool is_wanted;		/* by the rule */
	bool is_refused;	/* no core */
	uint64_t wait_ns;	/* the next wait at the gate, */
	_Atomic uint32_t looks; /* and in looks at GO */
	uint32_t looks_per_ms;	/* how fast they are, as far as is known */
	uint64_t ended_at;	/* the last invocation; counter */
	uint64_t interval_ns;	/* mean, from the end of one to the next */
	struct poll_rule rule;
};

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

	enum vm_gate gate;
	struct thaw_control *control; /* NULL without a gate */
	struct poll poll;

	/* set by arch_vcpu_init(): */
	uint64_t done_address; /* where the stub rings DONE */
	uint64_t gate_address; /* where it enters the gate; 0: it has none */
	uint64_t counter_hz;
	uint64_t counter_offset; /* guest counter - host counter */

	/* nanoseconds = ticks * mult >> shift */
	uint32_t counter_mult;
	uint32_t counter_shift;
};

/*
 * One KVM_RUN. 0: *@ret_exit says what the guest wants; -EINTR: a signal;
 * -ENOBUFS: the dirty ring is full, and its owner has to drain it; another
 * -errno.
 */
int vm_run_once(struct vm *vm, struct vm_exit *ret_exit);

/* Disarms the watchdog and judges what the end of a run, @r, has come to. */
int vm_end_run(struct vm *vm, int r, struct vm_exit *exit);

#endif
