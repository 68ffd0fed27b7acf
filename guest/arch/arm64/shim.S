/*
 * shim.S (arm64) - where system calls of a Linux program arrive in user mode. See
 * thaw_shim.h. The vectors have put all registers away. They know the two SVCs by where
 * these return to, and load the registers again: the first has the host do the call
 * before that.
 */
#include "guest/abi/thaw_shim.h"

	.section .text.entry, "ax"
	.globl	shim_entry
shim_entry:
	bl	shim_enter
	cbnz	w0, 1f
	svc	#0
	b	.		/* THAW_VDSO_PASS_ON */
1:	svc	#0
	b	.		/* THAW_VDSO_RETURN */

	.globl	__kernel_rt_sigreturn
	.type	__kernel_rt_sigreturn, %function
	/* unwinders know it by these two instructions */
__kernel_rt_sigreturn:
	mov	x8, #139
	svc	#0
	.size	__kernel_rt_sigreturn, . - __kernel_rt_sigreturn

	.section .note.GNU-stack, "", %progbits
