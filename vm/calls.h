/*
 * calls.h - system calls of Linux programs, and their registers.
 *
 *	vm_run(vm, deadline_ns, &exit);			exit.kind: VM_EXIT_CALL
 *	vm_call_get(vm, &call);
 *	vm_call_return(vm, result);
 *	vm_run(...);					goes on behind the call
 *
 * Everything in a call is the program's, and hostile. For vms of programs, on the thread
 * that owns the vm.
 */
#ifndef VM_CALLS_H
#define VM_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/abi/thaw_linux.h"
#include "vm/layout.h"

struct vm;
struct vm_exit;

struct vm_call {
	uint64_t number;
	uint64_t args[6];
	uint64_t pc; /* behind the instruction */
	uint64_t sp;
};

/* Reads the call of the last exit. */
void vm_call_get(const struct vm *vm, struct vm_call *ret_call);

/* Has the next run go on behind that call, which returns @result. */
void vm_call_return(struct vm *vm, uint64_t result);

/*
 * Saves the registers with which the program goes on behind the call; the result of
 * the call is frame.general[0] on every architecture. 0 or -errno.
 */
int vm_call_save(const struct vm *vm, struct thaw_frame *ret_frame);

/*
 * Saves all registers of the program at @exit, the last one of @vm: a call, as
 * vm_call_save() does; a fault, with the pc of the instruction that has faulted; or a
 * deadline, at any instruction. 0; -EAGAIN, the deadline has come when code of thaw's
 * was about to run, so let it run on for a moment; or another -errno.
 */
int vm_frame_save(const struct vm *vm, const struct vm_exit *exit,
		  struct thaw_frame *ret_frame);

/*
 * Has the next run go on with the registers in @frame, whose values may be anything
 * that a program may want to have: what it may not have set is corrected, or faults
 * there. After any exit of which vm_frame_save() can save the registers. The frame is
 * copied to THAW_GPA_FRAME. 0 or -errno.
 */
int vm_frame_load(struct vm *vm, const struct thaw_frame *frame);

/* Whether @frame, which may be anything, is one of a program: it sets no more of the mode. */
bool vm_frame_is_users(const struct thaw_frame *frame);

/*
 * Makes of *@frame, in which a thread goes on behind clone(), that in which the new
 * thread does: the call returns 0 there. @sp and @thread, which may be NULL, are the stack
 * pointer and the thread pointer that the new one is to have; NULL: the same.
 */
void vm_frame_clone(struct thaw_frame *frame, const uint64_t *sp,
		    const uint64_t *thread);

/*
 * Which of the six arguments of clone() is the thread pointer, and which the address for
 * the new thread's id: that differs between architectures.
 */
extern const unsigned vm_clone_thread, vm_clone_id;

/* Sets the thread pointer (FS base, TPIDR_EL0). 0 or -errno. */
int vm_set_thread(struct vm *vm, uint64_t thread);

/* Makes the frame with which a program begins: all zero but @pc and @sp. */
void vm_frame_begin(struct thaw_frame *ret_frame, uint64_t pc, uint64_t sp);

/* AT_HWCAP and AT_HWCAP2 for a program: what of the host's CPU the guest has. */
void vm_features(uint64_t *ret_first, uint64_t *ret_second);

/*
 * Which parts of a frame's vector registers the guest has, as the architecture says it:
 * x86_64: XCR0; arm64: 0.
 */
uint64_t vm_vector_features(const struct vm *vm);

/*
 * The address of code that calls rt_sigreturn(), for programs that bring none; 0: on
 * this architecture all do.
 */
uint64_t vm_signal_return_address(void);

/* The address at which the entry stub loads the frame, for thaw_info.dispatch. */
uint64_t vm_resume_address(void);

/* The address of an instruction that makes a system call, to try whether it arrives. */
uint64_t vm_try_call_address(void);

#endif
