/*
 * registers.S (arm64) - saves all that user mode can see of the vcpu's state,
 * and dirties all that it can change. See registers.h.
 */
#include <thaw_abi.h>

#include "registers.h"
#include "saved.h"

	.text
	.globl dispatch
	.type dispatch, %function
dispatch:
	/* x0 and x1 first, below the stack pointer */
	stp	x0, x1, [sp, #-16]
	adrp	x1, saved
	add	x1, x1, :lo12:saved
	ldr	x0, [sp, #-16]
	str	x0, [x1, #SAVED_GENERAL]
	ldr	x0, [sp, #-8]
	str	x0, [x1, #SAVED_GENERAL + 8]
	.irp	n, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28
	str	x\n, [x1, #SAVED_GENERAL + \n * 8]
	.endr
	.irp	n, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 30
	str	x\n, [x1, #SAVED_GENERAL + \n * 8]
	.endr
	mov	x0, sp
	str	x0, [x1, #SAVED_GENERAL + 31 * 8]
	mrs	x0, nzcv
	str	x0, [x1, #SAVED_FLAGS]
	mrs	x0, fpcr
	str	x0, [x1, #SAVED_FPCR]
	mrs	x0, fpsr
	str	x0, [x1, #SAVED_FPSR]
	mrs	x0, tpidr_el0
	str	x0, [x1, #SAVED_TPIDR]
	add	x1, x1, #SAVED_VECTORS
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	str	q\n, [x1], #16
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	q\n, [x1], #16
	.endr
	b	invoked
	.size dispatch, . - dispatch

	.globl make_dirty
	.type make_dirty, %function
make_dirty:
	mov	x2, x0
	mov	x3, x1

	tbz	x2, #2, 1f		/* DIRT_FLOAT */
	mov	x0, #0x07c00000		/* AHP, DN, FZ, RMode */
	msr	fpcr, x0
	mov	x0, #0x9f
	movk	x0, #0x0800, lsl #16	/* QC, all exceptions */
	msr	fpsr, x0
1:
	tbz	x2, #3, 2f		/* DIRT_VECTORS */
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movi	v\n\().16b, #0xa5
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\n\().16b, #0xa5
	.endr
2:
	tbz	x2, #5, 3f		/* DIRT_BASES */
	movz	x0, #0x5a5a, lsl #16
	msr	tpidr_el0, x0
3:
	tbz	x2, #6, 4f		/* DIRT_STACK */
	mov	x0, #-16
	mov	sp, x0
4:
	tbz	x2, #7, 5f		/* DIRT_MODES: not SSBS, but DIT */
	msr	s3_3_c4_c2_6, xzr
	mov	x0, #0x01000000
	msr	s3_3_c4_c2_5, x0
5:
	movz	x0, #(THAW_GPA_INFO & 0xffff)
	movk	x0, #(THAW_GPA_INFO >> 16), lsl #16
	ldr	x1, [x0, #THAW_INFO_DONE]
	tbz	x2, #0, 6f		/* DIRT_GENERAL */
	.irp	n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19
	movz	x\n, #0xa5a5, lsl #48
	.endr
	.irp	n, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	movz	x\n, #0xa5a5, lsl #48
	.endr
6:
	tbz	x2, #1, 7f		/* DIRT_FLAGS */
	movz	x4, #0xf000, lsl #16
	msr	nzcv, x4
7:
	/* no flag changes from here on */
	cbz	x3, ring
	sub	x3, x3, #1
	cbz	x3, fault
spin:
	b	spin
fault:
	udf	#0
ring:
	br	x1
	.size make_dirty, . - make_dirty

	.bss
	.balign	64
	.globl saved
saved:
	.zero	SAVED_VECTORS + 32 * 16

	.section .note.GNU-stack, "", %progbits
