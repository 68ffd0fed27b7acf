/*
 * stubs.S (x86_64) - the entry stub, the fault stubs, and the gate. See
 * thaw_stubs.h.
 *
 * References: Intel SDM volume 1 chapter 13 (XRSTOR), volume 2 (SYSCALL,
 * SYSRET), volume 3 chapter 6 (exception frames and error codes).
 */
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_shim.h"

#define RFLAGS_FIXED 2

/*
 * Says that the invocation is over, waits for the next, and goes to \enter when it
 * comes. If none comes for some time, it rings at \port that it is idle; once the
 * host lets it run again, it goes on waiting. Uses RAX, RCX, RDX, RSI.
 *
 * x86 keeps the program's order of loads, and of stores but for those that are weakly
 * ordered, such as MOVNTI's. The host needs both orders: see vm/control.c. So DONE is
 * stored by XCHG, which waits until all earlier stores are in memory.
 */
	.macro	wait_for_go enter, port
	movabs	$THAW_GPA_CONTROL, %rdx
	mov	THAW_CONTROL_GO(%rdx), %esi
	mov	%esi, %ecx
	xchg	%ecx, THAW_CONTROL_DONE(%rdx)
10:	mov	THAW_CONTROL_SPINS(%rdx), %ecx
11:	cmp	THAW_CONTROL_GO(%rdx), %esi
	jne	\enter
	pause
	dec	%ecx
	jg	11b
	mov	$THAW_BELL_IDLE, %al
	out	%al, $\port
	jmp	10b
	.endm

	.section .rodata.stubs, "a"
	.code64

/*
 * The entry stub. The host, or the gate, has set rip and rflags; everything
 * else that user mode can change is reset here.
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

	/*
	 * What the host has just written, or put back, is in another CPU's cache
	 * when the guest has waited: it comes over while the rest is done.
	 */
	mov	THAW_GPA_INFO + THAW_INFO_STACK_TOP, %rsp
	prefetcht0 THAW_GPA_INFO + 64
	prefetcht0 THAW_GPA_INFO + 128
	prefetchw THAW_GPA_MAILBOX
	prefetchw -64(%rsp)
	prefetchw -128(%rsp)
	prefetchw -192(%rsp)

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

	mov	THAW_GPA_INFO + THAW_INFO_DISPATCH, %rcx
	xor	%eax, %eax
	xor	%edx, %edx
	xor	%ebx, %ebx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	xor	%r\n\()d, %r\n\()d
	.endr
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
2:	jmp	*THAW_GPA_INFO + THAW_INFO_DONE

	.globl thaw_stub_done
thaw_stub_done:
	mov	$THAW_BELL_DONE, %al
	out	%al, $THAW_DOORBELL_PORT
	ud2

	/* Neither comes back: the gate goes on at thaw_stub_start. */
	.globl thaw_stub_call
thaw_stub_call:
	syscall
call_resume:
	ud2

	.globl thaw_stub_trap
thaw_stub_trap:
	int3
trap_resume:
	ud2

	.globl thaw_stub_wait
thaw_stub_wait:
	wait_for_go wait_over, THAW_DOORBELL_PORT
wait_over:
	mov	THAW_GPA_INFO + THAW_INFO_STACK_TOP, %rsp
	push	$RFLAGS_FIXED
	popfq
	jmp	thaw_stub_start

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

/*
 * A Linux program's system call. SYSCALL enters supervisor mode here, or, on a KVM that
 * emulates it by a jump, arrives still in user mode. From either the shim goes on, in user
 * mode. While it is not active, this rings at once, with the program's registers as
 * SYSCALL has left them; the host has it go on at RCX.
 */
	.globl thaw_stub_linux
thaw_stub_linux:
	mov	%rcx, THAW_GPA_SHIM + THAW_SHIM_PC
	mov	%r11, THAW_GPA_SHIM + THAW_SHIM_FLAGS
	mov	%cs, %ecx
	test	$3, %cl
	jnz	1f
	mov	$(THAW_GPA_STUB + 1f - thaw_stub_start), %ecx
	mov	$RFLAGS_FIXED, %r11d
	sysretq
1:	mov	$(THAW_GPA_VDSO + THAW_VDSO_ENTRY), %ecx
	cmpl	$0, THAW_GPA_SHIM + THAW_SHIM_ACTIVE
	je	2f
	jmp	*%rcx
2:	mov	THAW_GPA_SHIM + THAW_SHIM_PC, %rcx
	mov	THAW_GPA_SHIM + THAW_SHIM_FLAGS, %r11
	out	%al, $THAW_CALL_PORT
	ud2

/*
 * Where the entry stub jumps for a Linux program: loads all registers from the
 * frame, and goes on. RCX and R11 are the program's, too: it may be anywhere.
 */
	.globl thaw_stub_resume
thaw_stub_resume:
	mov	$THAW_GPA_FRAME, %ebx
	mov	$-1, %eax
	mov	$-1, %edx
	xrstor64 (%rbx)
	mov	THAW_FRAME_THREAD(%rbx), %rax
	wrfsbase %rax
	mov	THAW_FRAME_THREAD_MORE(%rbx), %rax
	wrgsbase %rax
	push	THAW_FRAME_FLAGS(%rbx)
	popfq
	mov	THAW_FRAME_GENERAL(%rbx), %rax
	mov	THAW_FRAME_GENERAL + 8(%rbx), %rcx
	mov	THAW_FRAME_GENERAL + 16(%rbx), %rdx
	mov	THAW_FRAME_GENERAL + 32(%rbx), %rsp
	mov	THAW_FRAME_GENERAL + 40(%rbx), %rbp
	mov	THAW_FRAME_GENERAL + 48(%rbx), %rsi
	mov	THAW_FRAME_GENERAL + 56(%rbx), %rdi
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	mov	THAW_FRAME_GENERAL + 8 * \n(%rbx), %r\n
	.endr
	mov	THAW_FRAME_GENERAL + 24(%rbx), %rbx
	jmp	*THAW_GPA_FRAME + THAW_FRAME_PC

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

/*
 * The gate, entered by the breakpoint at thaw_stub_trap. Any other breakpoint is
 * a fault. Nothing of the function runs from here until IRETQ.
 */
	.globl thaw_supervisor_trap
thaw_supervisor_trap:
	cmpq	$(THAW_GPA_STUB + trap_resume - thaw_stub_start), (%rsp)
	jne	trap_fault
	wait_for_go trap_enter, THAW_IDLE_PORT
trap_enter:
	lea	entry_frame(%rip), %rsp
	iretq
trap_fault:
	mov	%rsp, %rdx	/* the frame may be in the control page */
	mov	$(THAW_GPA_FAULT + THAW_PAGE_SIZE), %esp
	.irp	n, 32, 24, 16, 8, 0
	push	\n(%rdx)
	.endr
	push	$0
	push	$3
	out	%al, $THAW_FAULT_PORT
1:	jmp	1b

/*
 * The same, entered by the system call at thaw_stub_call. Any other is what it
 * is without the gate: an illegal instruction, whose frame is made here.
 */
	.globl thaw_supervisor_call
thaw_supervisor_call:
	cmp	$(THAW_GPA_STUB + call_resume - thaw_stub_start), %rcx
	jne	call_fault
	wait_for_go call_enter, THAW_IDLE_PORT
call_enter:
	mov	$THAW_GPA_STUB, %ecx
	mov	$RFLAGS_FIXED, %r11d
	sysretq
call_fault:
	mov	$(THAW_GPA_FAULT + THAW_PAGE_SIZE), %esp
	sub	$2, %rcx
	push	$THAW_X86_USER_DS
	push	$0
	push	%r11
	push	$THAW_X86_USER_CS
	push	%rcx
	push	$0
	push	$6
	out	%al, $THAW_FAULT_PORT
1:	jmp	1b

	/* what IRETQ takes: RIP, CS, RFLAGS, RSP, SS */
	.balign 8
entry_frame:
	.quad	THAW_GPA_STUB, THAW_X86_USER_CS, RFLAGS_FIXED, 0
	.quad	THAW_X86_USER_DS
	.globl thaw_supervisor_end
thaw_supervisor_end:

	.section .note.GNU-stack, "", @progbits
