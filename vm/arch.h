/*
 * arch.h - what an architecture provides; everything else in vm/ is common.
 * Implemented in vm/x86_64/ and vm/arm64/, one of which is built.
 *
 * An architecture decodes exits and knows what is in a vcpu's state and in guest
 * memory. It runs nothing: the loops are in run.c and poll.c.
 */
#ifndef VM_ARCH_H
#define VM_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct kvm_host;
struct layout;
struct vcpu_state;
struct vm;
struct vm_exit;
struct vm_fault;

/*
 * Checks the capabilities that this architecture needs, and sets host->vm_type.
 * 0, or -ENODEV with a message that says what is missing.
 */
int arch_kvm_check(struct kvm_host *host, struct error *err);

/*
 * Prepares a new vcpu, which has not run: its features, its counter, and vm->gate.
 * Sets what vm_internal.h says it sets.
 */
int arch_vcpu_init(struct vm *vm, struct error *err);

/* Writes stubs, descriptors or vectors, and page tables into @memory. */
void arch_prepare_memory(uint8_t *memory, const struct layout *layout);

/*
 * Makes the complete state in which the entry stub begins. The caller frees
 * *@ret_state by vm_state_free().
 */
int arch_boot_state(struct vm *vm, const struct layout *layout,
		    struct error *err, struct vcpu_state **ret_state);

/*
 * Finishes a pending exit, which may still write guest memory, and loads the
 * complete state. 0 or -errno.
 */
int arch_load_state(struct vm *vm, const struct vcpu_state *state);

/*
 * Makes the next run start at @pc, in the entry stub's page, and clears the
 * general registers if that takes no system call. On the hot path.
 */
void arch_enter(struct vm *vm, uint64_t pc);

/*
 * Decodes what KVM_RUN has left in vm->run. Sets @exit->may_trap; and, if
 * @has_exited, which KVM_RUN says by returning 0, either @exit->kind with what
 * belongs to that kind, or else @exit->detail.
 */
void arch_decode_exit(struct vm *vm, bool has_exited, struct vm_exit *exit);

/* Puts a fault into words: its name, the kind of access, the address. */
void arch_describe_fault(const struct vm_fault *fault, char *text, size_t size);

/*
 * The address of the function that is called by the instruction before @end, of
 * whose code the ARCH_CALL_SIZE bytes before @code_end are; 0 if it is no direct call.
 */
uint64_t arch_call_target(const uint8_t *code_end, uint64_t end);
#define ARCH_CALL_SIZE 8

/* Lets the CPU rest for an instant, in a loop that polls. */
void arch_relax(void);

/* The host's counter. The guest's differs from it by vm->counter_offset. */
uint64_t arch_counter_now(void);

#endif
