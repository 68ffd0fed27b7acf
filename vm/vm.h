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
#include <sys/types.h>

#include "base/error.h"
#include "vm/dirty.h"
#include "vm/holes.h"
#include "vm/layer.h"
#include "vm/layout.h"

/* How many shells are kept at first, and at most: see shells_limit(). */
#define SHELLS_DEFAULT 16u
#define SHELLS_MAX 1024u

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
	int memory_fd; /* a file, which does not change; borrowed for the call */
	off_t memory_offset; /* where memory is in it, if writes stay private */
	/* vms of one owner may follow each other in a shell; 0: it has none */
	uint64_t owner;
	bool shared;	    /* writes go to the file (boot), or stay private */
	struct holes holes; /* of the file, if writes stay private */
	struct layer layer; /* over the file, if writes stay private */
	enum dirty_backend dirty;
	uint64_t tables; /* for DIRTY_TABLES: gpa of page tables, which end memory */
	bool control;	   /* there is a control page */
	enum vm_gate gate; /* other than NONE only with a control page */
	bool is_program;
};

/* Creates a vm over the file's memory. The caller frees it by vm_free(). */
int vm_create(const struct vm_config *config, struct error *err,
	      struct vm **ret_vm);

/* Frees @vm; NULL is fine. Its shell may be kept. */
void vm_free(struct vm *vm);

/* No other vm follows @vm in its shell: its owner ends. */
void vm_disown(struct vm *vm);

/*
 * A shell is what a vm has of KVM: its file, its one vcpu, and what is mapped of that.
 * Making it is most of what a vm costs. So the shells of vms that have been freed are
 * kept, up to a limit, and become other vms of the same owner. The memslot is removed,
 * with all that KVM has cached of the memory, no exit is pending, and vm_set_state()
 * loads all that user mode can change. What a branch predictor has learned is not
 * forgotten, as it is not between two invocations in a vm: so no shell goes from one
 * function to another one. A child of fork() has no shells. fresh_shells.h has shells
 * for owners that have none.
 *
 * shells_limit() frees those that are kept, and sets how many will be: SHELLS_MAX at
 * most. shells_drop() frees those of an owner. shells_spare() frees all, fresh ones too,
 * for somebody who lacks memory, files or mappings; it returns whether there were any.
 * vm_create() does this itself before it fails. Any thread.
 */
void shells_limit(unsigned limit);
void shells_drop(uint64_t owner);
bool shells_spare(void);

/*
 * Whether @thread was the last to run @vm. A hint, which is of use only while
 * nobody runs it.
 */
bool vm_ran_on(const struct vm *vm, pthread_t thread);

/*
 * Gives the vm something to keep, in place of what it keeps: vm_free() passes it to
 * @free_kept. vm_kept() returns it, or NULL.
 */
void vm_keep(struct vm *vm, void *kept, void (*free_kept)(void *kept));
void *vm_kept(const struct vm *vm);

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
 * all inside, or in page tables that tell what was written.
 */
int vm_write(struct vm *vm, uint64_t gpa, const void *data, size_t size);

/*
 * The same for a caller that writes them itself, to where this returns, before the next
 * run; what it does not write stays as it is. NULL: they are not all inside, or none.
 */
void *vm_write_at(struct vm *vm, uint64_t gpa, size_t size);

/*
 * Loads the complete vcpu state, after which the next run starts at the entry stub. A
 * vm does not run before it has one. If it has run, the instruction of the last exit is
 * finished first, which may still write guest memory. 0 or -errno; then the vm must not be run.
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

/* The doorbell's, which is the same in all vms. */
uint64_t vm_doorbell_address(void);

/* One moment by all clocks. */
struct vm_moment {
	uint64_t counter; /* the host's: TSC, or CNTVCT */
	uint64_t monotonic_ns;
	uint64_t realtime_ns;
};

/* Now. */
struct vm_moment vm_now(void);

/*
 * The host's counter: now; when the invocation in @vm began, which vm_set_begun() has
 * told; and at the end of its last run.
 */
uint64_t vm_counter_now(void);
void vm_set_begun(struct vm *vm, const struct vm_moment *begun);
uint64_t vm_begun_at(const struct vm *vm);
uint64_t vm_ended_at(const struct vm *vm);

/*
 * The time from @from to @to, values of the host's counter. CLOCK_MONOTONIC, whose speed
 * the host corrects, may say a little more or less. So it is for short times.
 */
uint64_t vm_counter_ns(const struct vm *vm, uint64_t from, uint64_t to);

/* The guest's counter at @moment. */
uint64_t vm_counter_at(const struct vm *vm, const struct vm_moment *moment);

/* How nanoseconds are made of that counter's ticks: ticks * mult >> shift. */
void vm_counter_scale(const struct vm *vm, uint32_t *ret_mult,
		      uint32_t *ret_shift);

/* Puts thaw's own pages and page tables into @memory, which is zero there. */
void vm_prepare_memory(uint8_t *memory, const struct layout *layout);

/*
 * Has the CPU fetch the code in @memory again, which the host has put there, or mapped: of
 * all that @layout lets be executed.
 */
void vm_flush_code(const uint8_t *memory, const struct layout *layout);

#endif
