/*
 * signal_frame.h - the frame of a signal handler on the program's stack, as the kernel
 * writes it for the architecture, and what a fault of the architecture is as a signal.
 *
 * A frame has what the handler is told and all registers of the program, which
 * rt_sigreturn() loads again. By then its bytes are the program's, and hostile.
 *
 * Pure functions of their arguments and of the space, on the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_SIGNAL_FRAME_H
#define EXECUTOR_LINUX_SIGNAL_FRAME_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/linux/space.h"
#include "guest/abi/thaw_linux.h"
#include "vm/exit.h"

/* struct sigaction of the kernel's interface. */
struct linux_action {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

/* stack_t of the kernel's interface: the alternate stack. */
struct signal_stack {
	uint64_t start;
	uint32_t flags;
	uint32_t padding;
	uint64_t size;
};

/* What a frame says of the last fault. */
struct signal_trap {
	uint64_t number;  /* x86_64: the vector */
	uint64_t code;	  /* x86_64: the error code; arm64: ESR_EL1 */
	uint64_t address; /* x86_64: CR2; arm64: FAR_EL1 */
};

/* What a handler runs with. */
struct signal_delivery {
	const siginfo_t *info;
	const struct linux_action *action;
	struct signal_trap trap;
	uint64_t mask; /* what rt_sigreturn() is to set */
	struct signal_stack stack;
	bool is_on_stack;  /* the handler runs on the alternate stack */
	bool is_entering;  /* and what is interrupted does not */
	uint64_t features; /* vm_vector_features() */
};

/* What rt_sigreturn() sets besides the registers. */
struct signal_return {
	uint64_t mask;
	struct signal_stack stack;
};

/*
 * Writes the frame below the stack pointer of *@registers, or on the alternate stack,
 * and changes them to those with which the handler begins. -EFAULT: the program may not
 * write there, or the handler could not return; then they are unchanged.
 */
int signal_frame_push(struct space *space, const struct signal_delivery *signal,
		      struct thaw_frame *registers);

/*
 * Reads the frame back that *@registers are at when they call rt_sigreturn(). -EFAULT:
 * it is none that a program may return to; then they are unchanged.
 */
int signal_frame_pop(const struct space *space, uint64_t features,
		     struct thaw_frame *registers,
		     struct signal_return *ret_return);

/*
 * Has *@registers, saved behind a system call that is not done, repeat it. @number and
 * @first are its number and first argument.
 */
void signal_frame_repeat(struct thaw_frame *registers, uint64_t number,
			 uint64_t first);

/* Gives the function at whose beginning *@registers are its first two arguments. */
void signal_frame_set_arguments(struct thaw_frame *registers,
				const uint64_t arguments[2]);

uint64_t signal_frame_sp(const struct thaw_frame *registers);

/*
 * Makes of @fault, with the program's *@registers, the signal that the kernel sends:
 * si_signo, si_code and what belongs to it. Of a fault by an address, si_code is
 * SEGV_MAPERR: only the caller knows what is mapped there.
 */
void signal_frame_of_fault(const struct vm_fault *fault,
			   const struct thaw_frame *registers,
			   siginfo_t *ret_info, struct signal_trap *ret_trap);

/*
 * Makes the signal that the kernel sends for a frame which signal_frame_pop() has not
 * taken.
 */
void signal_frame_of_bad(const struct space *space,
			 const struct thaw_frame *registers,
			 siginfo_t *ret_info);

/* The least size that sigaltstack() takes. */
uint64_t signal_frame_stack_min(void);

/* What a frame takes at most, for AT_MINSIGSTKSZ. */
uint64_t signal_frame_size(void);

#endif
