/*
 * vm.h - one virtual machine: KVM's vm, its one vcpu, its guest memory.
 *
 *	struct vm *vm;
 *	vm_create(&config, &err, &vm);
 *	vm_write(vm, gpa, bytes, size);		host writes are tracked
 *	vm_enter(vm);				next run starts at the stub
 *	vm_run(vm, deadline_ns, &exit);		run.h: until the guest exits
 *	...
 *	vm_free(vm);
 *
 * The guest's side of the contract is guest/abi/thaw_abi.h. A vm is used by
 * one thread at a time; which one may change between calls.
 */
#ifndef VM_VM_H
#define VM_VM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vm/dirty.h"
#include "vm/holes.h"

struct layout;
struct vcpu_state;
struct vm;

/* How the guest waits for its next invocation without an exit: see poll.h. */
enum vm_gate {
	VM_GATE_NONE,
	VM_GATE_CALL, /* in supervisor mode, entered by system call */
	VM_GATE_TRAP, /* the same, entered by a breakpoint; x86_64 only */
	VM_GATE_USER, /* in user mode */
	VM_GATES,
};

struct vm_config {
	size_t memory_size; /* bytes, of guest memory and of the file */
	int memory_fd;	    /* a memfd; borrowed for the call */
	bool shared;	    /* writes go to the file (boot), or stay private */
	struct holes holes; /* of the file, if writes stay private */
	enum dirty_backend dirty;
	bool control;	   /* there is a control page */
	enum vm_gate gate; /* other than NONE only with a control page */
};

/* Creates a vm over the file's memory. The caller frees it by vm_free(). */
int vm_create(const struct vm_config *config, struct error *err,
	      struct vm **ret_vm);

/* Frees @vm; NULL is fine. */
void vm_free(struct vm *vm);

/*
 * Whether @thread was the last to run @vm. A hint, which is of use only while
 * nobody runs it.
 */
bool vm_ran_on(const struct vm *vm, pthread_t thread);

/* The tracker of what may differ from the snapshot; belongs to the vm. */
struct dirty *vm_dirty(struct vm *vm);

/* The host address of guest memory, for reading and for restoring. */
uint8_t *vm_memory(struct vm *vm);

/*
 * @size bytes of guest memory at @gpa, or NULL if they are not all inside. The
 * bytes are hostile and change when the vm runs: copy, check, use.
 */
const void *vm_view(const struct vm *vm, uint64_t gpa, uint64_t size);

/*
 * Writes @size bytes at @gpa and notes them for the restore. -EFAULT: they are not
 * all inside.
 */
int vm_write(struct vm *vm, uint64_t gpa, const void *data, size_t size);

/*
 * Loads the complete vcpu state, after which the next run starts at the entry stub.
 * First it finishes the instruction of the last exit, which may still write guest
 * memory. 0 or -errno; then the vm must not be run.
 */
int vm_set_state(struct vm *vm, const struct vcpu_state *state,
		 struct error *err);

/*
 * Whether @vm is spoiled: its guest has made an exit that no function needs, or
 * may have left a trap pending, or the host has failed between run and restore. So
 * nobody knows what is left in it. It must not be restored or run again, but freed.
 */
bool vm_spoiled(const struct vm *vm);

/* Marks @vm as spoiled. Nothing takes the mark back. */
void vm_spoil(struct vm *vm);

/*
 * Makes the next run start at the entry stub, or go on to it from the gate. The stub
 * resets all other state that user mode can change. So this is enough after a
 * doorbell or at the gate; after any other exit use vm_set_state() instead.
 */
void vm_enter(struct vm *vm);

/*
 * Makes the next run touch the pages that are listed in the request window, and end
 * as a function that is done does: see thaw_stub_touch.
 */
void vm_enter_touch(struct vm *vm);

/*
 * The address to which a function jumps when it is done, for thaw_info.done: the
 * doorbell's, or, if @to_gate, that of the vm's gate. 0: this architecture does not
 * have such a gate.
 */
uint64_t vm_done_address(const struct vm *vm, bool to_gate);

/* The guest's counter (TSC, or CNTVCT) now. */
uint64_t vm_counter_now(const struct vm *vm);

/* How nanoseconds are made of that counter's ticks: ticks * mult >> shift. */
void vm_counter_scale(const struct vm *vm, uint32_t *ret_mult,
		      uint32_t *ret_shift);

/* Puts thaw's own pages and page tables into @memory, which is zero there. */
void vm_prepare_memory(uint8_t *memory, const struct layout *layout);

/*
 * Makes the vcpu state in which every invocation of a snapshot starts. The caller
 * owns *@ret_state.
 */
int vm_boot_state(struct vm *vm, const struct layout *layout, struct error *err,
		  struct vcpu_state **ret_state);
/* Frees @state; NULL is fine. */
void vm_state_free(struct vcpu_state *state);

#endif
