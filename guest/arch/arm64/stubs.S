/*
 * stubs.S (arm64) - the entry stub, the EL1 vectors, and the gate. See
 * thaw_stubs.h.
 *
 * References: Arm ARM (DDI 0487), D1.3 (exception entry and return, vector
 * tables), C5.2 (special-purpose registers).
 */
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_shim.h"

/*
 * EL0t; exceptions that PSTATE can mask, masked; SSBS, since nothing in a guest
 * is kept from the rest of it. What a CPU does not have it ignores.
 */
#define PSTATE_INITIAL 0x13c0
/* What a program has set itself: the condition flags. */
#define PSTATE_FLAGS 0xf0000000

/*
 * Where the SVCs return to: the entry stub's, its first instruction, and that of
 * thaw_stub_call, its third.
 */
#define STUB_RESUME (THAW_GPA_STUB + 4)
#define CALL_RESUME (THAW_GPA_STUB + 12)
/* That of thaw_stub_resume, the fifth. */
#define FRAME_RESUME (THAW_GPA_STUB + 20)
/* Those of the shim. */
#define SHIM_PASS_ON (THAW_GPA_VDSO + THAW_VDSO_PASS_ON)
#define SHIM_RETURN (THAW_GPA_VDSO + THAW_VDSO_RETURN)
/* Where the registers of a program are during a system call. */
#define REGISTERS (THAW_GPA_SHIM + THAW_SHIM_REGISTERS)
/* The exception class of SVC, in ESR_EL1. */
#define CLASS_SVC 0x15

	.macro	load_address register, value
	movz	\register, #((\value) & 0xffff)
	movk	\register, #((\value) >> 16 & 0xffff), lsl #16
	movk	\register, #((\value) >> 32 & 0xffff), lsl #32
	.endm

/*
 * Says that the invocation is over, waits for the next, and goes to \enter when it
 * comes. If none comes for some time, it rings \idle with w7; once the host lets it
 * run again, it goes on waiting. Uses x1 to x6.
 *
 * The store of DONE is a release: the host sees what the function has written, and
 * what KVM has noted of that, before it sees DONE. The load of GO is an acquire: the
 * code at \enter sees what the host has written before GO. See vm/control.c. The
 * load of how often to look is an acquire as well, since it must not come before the
 * store of DONE: a host that goes to sleep writes 0 there and then looks for DONE.
 */
	.macro	wait_for_go enter, idle
	load_address x1, THAW_GPA_CONTROL
	load_address x6, \idle
	ldr	w2, [x1, #THAW_CONTROL_GO]
	add	x3, x1, #THAW_CONTROL_DONE
	stlr	w2, [x3]
	add	x3, x1, #THAW_CONTROL_SPINS
10:	ldar	w4, [x3]
11:	ldar	w5, [x1]
	cmp	w5, w2
	b.ne	\enter
	yield
	subs	w4, w4, #1
	b.gt	11b
	str	w7, [x6]
	b	10b
	.endm

	.section .rodata.stubs, "a"

/*
 * The entry stub. The host has set the pc and nothing else; everything that
 * user mode can change is reset here.
 *
 * PSTATE comes first, by way of EL1: only an exception return resets every
 * field of it, also those that user mode can write but is not told about.
 */
	.balign 64
	.globl thaw_stub_start
thaw_stub_start:
	svc	#0
	b	reset		/* STUB_RESUME */
	.globl thaw_stub_call
thaw_stub_call:
	svc	#0
	b	.		/* CALL_RESUME; the gate goes on at the top */
/* Where the entry stub jumps for a Linux program: the vectors load the frame. */
	.globl thaw_stub_resume
thaw_stub_resume:
	svc	#0
	b	.		/* FRAME_RESUME; the program goes on at its own pc */
reset:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movi	v\n\().2d, #0
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\n\().2d, #0
	.endr
	msr	fpcr, xzr
	msr	fpsr, xzr
	msr	tpidr_el0, xzr

	load_address x16, THAW_GPA_INFO
	ldr	x17, [x16, #THAW_INFO_STACK_TOP]
	mov	sp, x17
	ldr	x16, [x16, #THAW_INFO_DISPATCH]
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17
	mov	x\n, xzr
	.endr
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	mov	x\n, xzr
	.endr
	mov	x30, xzr	/* as if called, from nowhere */
	br	x16

	.globl thaw_stub_touch
thaw_stub_touch:
	load_address x9, THAW_GPA_INFO
	ldr	x9, [x9, #THAW_INFO_REQUEST_START]
	ldr	x10, [x9], #8
1:	cbz	x10, 2f
	ldr	x11, [x9], #8
	ldrb	w12, [x11]
	strb	w12, [x11]
	sub	x10, x10, #1
	b	1b
2:	load_address x9, THAW_GPA_INFO
	ldr	x9, [x9, #THAW_INFO_DONE]
	br	x9

	.globl thaw_stub_done
thaw_stub_done:
	mov	w9, #THAW_BELL_DONE
	load_address x10, THAW_DOORBELL_GPA
	str	w9, [x10]
	brk	#0

	.globl thaw_stub_wait
thaw_stub_wait:
	mov	w7, #THAW_BELL_IDLE
	wait_for_go thaw_stub_start, THAW_DOORBELL_GPA

/*
 * Where handlers of a Linux program return: calls rt_sigreturn(). Unwinders know it by
 * these two instructions.
 */
	.globl thaw_stub_signal_return
thaw_stub_signal_return:
	mov	x8, #139
	svc	#0

	.globl thaw_stub_end
thaw_stub_end:

/*
 * The vectors: 16 entries, 128 bytes apart. All are faults but the stub's two
 * SVCs; a function can cause only the ninth, a synchronous exception of
 * AArch64 user mode.
 */
	.balign 128
	.globl thaw_supervisor_start
thaw_supervisor_start:
	.rept	8
	b	fault
	.balign	128
	.endr
	b	synchronous
	.balign	128
	.rept	7
	b	fault
	.balign	128
	.endr

/*
 * An exception that returns to STUB_RESUME or CALL_RESUME is one of the stub's
 * SVCs, since the instructions there cannot fault. A function that jumps to the
 * first only starts its invocation again; to the second, it ends it. The
 * general registers are the stub's to reset.
 */
synchronous:
	msr	tpidr_el1, x0
	mrs	x0, contextidr_el1
	cbnz	x0, program	/* set for Linux programs */
	msr	tpidr_el1, xzr
	mrs	x0, elr_el1
	load_address x1, STUB_RESUME
	cmp	x0, x1
	b.eq	enter
	add	x1, x1, #(CALL_RESUME - STUB_RESUME)
	cmp	x0, x1
	b.ne	fault

/* The gate. Nothing of the function runs from here until ERET. */
	mov	w7, wzr
	wait_for_go gate_enter, THAW_IDLE_GPA
gate_enter:
	load_address x0, STUB_RESUME
	msr	elr_el1, x0
enter:
	mov	x0, #PSTATE_INITIAL
	msr	spsr_el1, x0
	eret

/*
 * The same for a Linux program, all of whose registers are to survive a system call.
 * They are put where the shim has its state, as a struct thaw_registers, and the shim is
 * entered, in user mode. Its own SVCs have them loaded from there again: at once, or once
 * the host has read the call there and has written the result. The program can write them
 * as well; so no more of its PSTATE is loaded than it could set itself.
 */
program:
	mov	sp, x1
	mrs	x0, elr_el1
	load_address x1, SHIM_RETURN
	cmp	x0, x1
	b.eq	load_call
	add	x1, x1, #(SHIM_PASS_ON - SHIM_RETURN)
	cmp	x0, x1
	b.eq	pass_on
	mov	x1, sp
	load_address x0, REGISTERS
	str	x1, [x0, #8]
	stp	x2, x3, [x0, #16]
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	str	x30, [x0, #240]
	mrs	x1, tpidr_el1
	msr	tpidr_el1, xzr
	str	x1, [x0]
	mrs	x1, sp_el0
	str	x1, [x0, #THAW_REGISTERS_SP]
	mrs	x2, spsr_el1
	str	x2, [x0, #THAW_REGISTERS_PSTATE]
	mrs	x1, elr_el1
	str	x1, [x0, #THAW_REGISTERS_PC]
	mrs	x2, esr_el1
	lsr	x2, x2, #26
	cmp	x2, #CLASS_SVC
	b.ne	fault
	load_address x2, STUB_RESUME
	cmp	x1, x2
	b.eq	enter
	add	x2, x2, #(FRAME_RESUME - STUB_RESUME)
	cmp	x1, x2
	b.eq	load_frame
	load_address x2, THAW_GPA_SHIM
	ldr	w3, [x2, #THAW_SHIM_ACTIVE]
	cbz	w3, pass_on
	load_address x1, (THAW_GPA_VDSO + THAW_VDSO_ENTRY)
	msr	elr_el1, x1
	mov	x1, #PSTATE_INITIAL
	msr	spsr_el1, x1
	add	x2, x2, #THAW_PAGE_SIZE
	msr	sp_el0, x2
	eret

pass_on:
	load_address x2, THAW_CALL_GPA
	str	wzr, [x2]
load_call:
	load_address x0, REGISTERS
	b	load_registers

load_frame:
	load_address x0, THAW_GPA_FRAME
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	ldr	q\n, [x0, #(\n * 16)]
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ldr	q\n, [x0, #(\n * 16)]
	.endr
	ldr	x1, [x0, #THAW_FRAME_FPSR]
	msr	fpsr, x1
	ldr	x1, [x0, #THAW_FRAME_FPCR]
	msr	fpcr, x1
	ldr	x1, [x0, #THAW_FRAME_THREAD]
	msr	tpidr_el0, x1
	add	x0, x0, #THAW_FRAME_GENERAL
load_registers:
	ldr	x1, [x0, #THAW_REGISTERS_SP]
	msr	sp_el0, x1
	ldr	x1, [x0, #THAW_REGISTERS_PC]
	msr	elr_el1, x1
	ldr	x1, [x0, #THAW_REGISTERS_PSTATE]
	and	x1, x1, #PSTATE_FLAGS
	mov	x2, #PSTATE_INITIAL
	orr	x1, x1, x2
	msr	spsr_el1, x1
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	ldp	x12, x13, [x0, #96]
	ldp	x14, x15, [x0, #112]
	ldp	x16, x17, [x0, #128]
	ldp	x18, x19, [x0, #144]
	ldp	x20, x21, [x0, #160]
	ldp	x22, x23, [x0, #176]
	ldp	x24, x25, [x0, #192]
	ldp	x26, x27, [x0, #208]
	ldp	x28, x29, [x0, #224]
	ldr	x30, [x0, #240]
	ldr	x1, [x0, #8]
	ldr	x0, [x0]
	eret

/* The host reads what happened from ESR_EL1, ELR_EL1 and FAR_EL1. */
fault:
	load_address x0, THAW_FAULT_GPA
	str	wzr, [x0]
1:	b	1b
	.globl thaw_supervisor_end
thaw_supervisor_end:

	.section .note.GNU-stack, "", %progbits
