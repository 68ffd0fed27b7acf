/*
 * stubs.S (x86_64) - the entry stub and the fault stubs. See thaw_stubs.h.
 *
 * References: Intel SDM volume 1 chapter 13 (XRSTOR), volume 3 chapter 6
 * (exception frames and error codes).
 */
#include "guest/abi/thaw_abi.h"

	.section .rodata.stubs, "a"
	.code64

/*
 * The entry stub. The host has zeroed the general registers and set rip and
 * rflags; everything else that user mode can change is reset here.
 *
 * The first instructions mean the same in 64-bit and in 32-bit code: they find
 * out whether code that ran before has left a wrong code segment, which only
 * the host can put right.
 */
	.balign 64
	.globl thaw_stub_start
thaw_stub_start:
	mov	%cs, %eax
	cmp	$THAW_X86_USER_CS, %eax
	jne	refuse

	/* Loading a selector also resets its base (FS and GS). */
	mov	$THAW_X86_USER_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss

	/*
	 * All components of extended state to their initial values: the image
	 * names none. FNINIT first, since XRSTOR of some CPUs leaves the
	 * pointers of the last x87 instruction.
	 */
	fninit
	mov	$-1, %eax
	mov	$-1, %edx
	xrstor64 initial_xstate(%rip)

	mov	THAW_GPA_INFO + THAW_INFO_STACK_TOP, %rsp
	mov	THAW_GPA_INFO + THAW_INFO_DISPATCH, %rcx
	xor	%eax, %eax
	xor	%edx, %edx
	push	%rax		/* as if called, from nowhere */
	jmp	*%rcx

	.globl thaw_stub_touch
thaw_stub_touch:
	mov	THAW_GPA_INFO + THAW_INFO_REQUEST_START, %rsi
	mov	(%rsi), %rcx
1:	test	%rcx, %rcx
	jz	2f
	add	$8, %rsi
	mov	(%rsi), %rdi
	lock orb $0, (%rdi)
	dec	%rcx
	jmp	1b
2:	mov	$THAW_BELL_DONE, %al
	out	%al, $THAW_DOORBELL_PORT
	ud2

refuse:
	mov	$THAW_BELL_REFUSED, %al
	out	%al, $THAW_DOORBELL_PORT
	ud2

/*
 * SYSCALL is not for native functions and should raise #UD by itself. Where it
 * arrives at LSTAR all the same, still in user mode, this raises it.
 */
	.globl thaw_stub_syscall
thaw_stub_syscall:
	ud2

	/* Legacy area with the initial MXCSR, header with XSTATE_BV = 0. */
	.balign 64
initial_xstate:
	.zero	24
	.long	0x1f80
	.zero	512 - 28
	.zero	64
	.globl thaw_stub_end
thaw_stub_end:

/*
 * The fault stubs, one for each vector, THAW_X86_FAULT_STUB_SIZE bytes apart.
 * The CPU has switched to the stack in THAW_GPA_FAULT; the stub completes the
 * frame with the vector (and 0 for an error code where there is none) and
 * exits. The host reads the frame and never comes back. No register changes.
 */
	.balign 64
	.globl thaw_supervisor_start
thaw_supervisor_start:
	.set	vector, 0
	.rept	32
	.balign	THAW_X86_FAULT_STUB_SIZE
	.if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
	.else
	push	$0
	.endif
	push	$vector
	out	%al, $THAW_FAULT_PORT
1:	jmp	1b
	.set	vector, vector + 1
	.endr
	.globl thaw_supervisor_end
thaw_supervisor_end:

	.section .note.GNU-stack, "", @progbits
