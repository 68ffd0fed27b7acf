/*
 * arch.h - what an architecture has to provide; everything else in vm/ is
 * common. Implemented in vm/x86_64/ and vm/arm64/, one of which is built.
 */
#ifndef VM_ARCH_H
#define VM_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vm/kvm.h"
#include "vm/layout.h"
#include "vm/vm.h"

struct vcpu_state;

/* Checks and notes the capabilities this architecture needs. */
int arch_kvm_check(struct kvm_host *host, struct error *err);

/* The type argument of KVM_CREATE_VM. */
unsigned long arch_vm_type(const struct kvm_host *host);

/* Prepares a new vcpu: features, counter. */
int arch_vcpu_init(struct vm *vm, struct error *err);

/* Writes stubs, descriptors or vectors, and page tables into @memory. */
void arch_prepare_memory(uint8_t *memory, const struct layout *layout);

/* Makes the complete state in which the entry stub begins, on the heap. */
int arch_boot_state(struct vm *vm, const struct layout *layout,
		    struct error *err, struct vcpu_state **ret_state);

/*
 * Finishes a pending exit, which may still write guest memory, and loads the
 * complete state. 0 or -errno.
 */
int arch_load_state(struct vm *vm, const struct vcpu_state *state);

/*
 * Makes the next run start at @pc, in the entry stub's page, with nothing in
 * the general registers that the host can set at once. The hot path.
 */
void arch_enter(struct vm *vm, uint64_t pc);

/*
 * Where a function that is done enters @gate, in the stub's page; 0 if the
 * architecture has no such gate.
 */
uint64_t arch_gate_address(enum vm_gate gate);

/* Readies a new vcpu for vm->gate. 0 or -errno. */
int arch_gate_init(struct vm *vm);

/* Says what the exit in vm->run means. */
void arch_decode_exit(struct vm *vm, struct vm_exit *exit);

/*
 * Whether the CPU may have a trap pending for the guest, behind a run that ended
 * anywhere, which nothing can take back.
 */
bool arch_may_trap(const struct vm *vm);

/* Describes a fault: name, access, address. */
void arch_describe_fault(const struct vm_fault *fault, char *text, size_t size);

/* A moment's rest for a loop that polls. */
void arch_relax(void);

/* The host's counter, of which the guest's is a fixed distance away. */
uint64_t arch_counter_now(void);

#endif
