/*
 * registers.S (x86_64) - saves all that user mode can see of the vcpu's state,
 * and dirties all that it can change. See registers.h.
 */
#include <thaw_abi.h>

#include "registers.h"
#include "saved.h"

	.text
	.globl dispatch
	.type dispatch, @function
dispatch:
	mov	%rax, saved + SAVED_GENERAL
	mov	%rbx, saved + SAVED_GENERAL + 8
	mov	%rcx, saved + SAVED_GENERAL + 16
	mov	%rdx, saved + SAVED_GENERAL + 24
	mov	%rsi, saved + SAVED_GENERAL + 32
	mov	%rdi, saved + SAVED_GENERAL + 40
	mov	%rbp, saved + SAVED_GENERAL + 48
	mov	%rsp, saved + SAVED_GENERAL + 56
	mov	%r8, saved + SAVED_GENERAL + 64
	mov	%r9, saved + SAVED_GENERAL + 72
	mov	%r10, saved + SAVED_GENERAL + 80
	mov	%r11, saved + SAVED_GENERAL + 88
	mov	%r12, saved + SAVED_GENERAL + 96
	mov	%r13, saved + SAVED_GENERAL + 104
	mov	%r14, saved + SAVED_GENERAL + 112
	mov	%r15, saved + SAVED_GENERAL + 120
	pushfq
	popq	saved + SAVED_FLAGS
	mov	%cs, saved + SAVED_SELECTORS
	mov	%ds, saved + SAVED_SELECTORS + 2
	mov	%es, saved + SAVED_SELECTORS + 4
	mov	%fs, saved + SAVED_SELECTORS + 6
	mov	%gs, saved + SAVED_SELECTORS + 8
	mov	%ss, saved + SAVED_SELECTORS + 10
	mov	%fs:THAW_GPA_INFO, %rax
	mov	%rax, saved + SAVED_AT_FS
	mov	%gs:THAW_GPA_INFO, %rax
	mov	%rax, saved + SAVED_AT_GS
	xor	%ecx, %ecx
	xgetbv
	mov	%eax, saved + SAVED_XCR0
	mov	%edx, saved + SAVED_XCR0 + 4
	mov	$-1, %eax
	mov	$-1, %edx
	xsave64	saved + SAVED_XSAVE
	jmp	invoked
	.size dispatch, . - dispatch

	.globl make_dirty
	.type make_dirty, @function
make_dirty:
	mov	%rdi, %r14
	mov	%rsi, %r15

	test	$DIRT_FLOAT, %r14
	jz	1f
	fninit
	fldcw	dirty_fcw
	fldpi
	fldl2e
	fld1
	fldz
	fdivrp			/* an exception stays pending */
	ldmxcsr	dirty_mxcsr
1:
	test	$DIRT_VECTORS, %r14
	jz	2f
	xor	%ecx, %ecx
	xgetbv
	and	$0xe6, %eax
	movdqu	garbage, %xmm0
	cmp	$0xe6, %eax
	je	3f
	test	$0x4, %eax
	jz	4f
	vmovdqu	garbage, %ymm0
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	vmovdqa	%ymm0, %ymm\n
	.endr
	jmp	2f
3:
	vmovdqu64 garbage, %zmm0
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	vmovdqa64 %zmm0, %zmm\n
	.endr
	.irp	n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	vmovdqa64 %zmm0, %zmm\n
	.endr
	.irp	n, 0,1,2,3,4,5,6,7
	kmovw	garbage, %k\n
	.endr
	jmp	2f
4:
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movdqa	%xmm0, %xmm\n
	.endr
2:
	test	$DIRT_VECTORS, %r14
	jz	1f
	xor	%ecx, %ecx
	xgetbv
	and	$0x60000, %eax
	cmp	$0x60000, %eax
	jne	1f
	ldtilecfg dirty_tilecfg
	mov	$garbage, %esi
	xor	%eax, %eax
	.irp	n, 0,1,2,3,4,5,6,7
	tileloadd (%rsi,%rax,1), %tmm\n
	.endr
1:
	test	$DIRT_MODES, %r14
	jz	1f
	xor	%ecx, %ecx
	xgetbv
	and	$0x200, %eax
	jz	fault			/* no PKRU */
	xor	%edx, %edx
	xrstor64 dirty_pkru
1:
	test	$DIRT_SELECTORS, %r14
	jz	5f
	xor	%eax, %eax
	mov	%eax, %ds
	mov	$1, %eax
	mov	%eax, %es
	mov	$2, %eax
	mov	%eax, %fs
	mov	$THAW_X86_USER_CS, %eax
	mov	%eax, %gs
	mov	$THAW_X86_USER_DS, %eax
	mov	%eax, %ss
5:
	test	$DIRT_BASES, %r14
	jz	6f
	mov	$0x5a5a5000, %eax
	wrfsbase %rax
	wrgsbase %rax
6:
	mov	%rsp, %rbp
	test	$DIRT_STACK, %r14
	jz	7f
	movabs	$0x7fffa5a5a5a5a5a5, %rbp
7:
	mov	$THAW_BELL_DONE, %al
	test	$DIRT_GENERAL, %r14
	jz	8f
	movabs	$0xa5a5a5a5a5a5a502, %rax
	movabs	$0x1111111111111111, %rbx
	movabs	$0x2222222222222222, %rcx
	movabs	$0x3333333333333333, %rdx
	movabs	$0x4444444444444444, %rsi
	movabs	$0x5555555555555555, %rdi
	movabs	$0x6666666666666666, %r8
	movabs	$0x7777777777777777, %r9
	movabs	$0x8888888888888888, %r10
	movabs	$0x9999999999999999, %r11
	movabs	$0xaaaaaaaaaaaaaaaa, %r12
	movabs	$0xbbbbbbbbbbbbbbbb, %r13
8:
	test	$DIRT_FLAGS, %r14
	jz	9f
	/* CF PF AF ZF SF DF OF NT AC ID */
	pushq	$0x244cd5
	popfq
9:
	/* no flag may change from here on */
	mov	%rbp, %rsp
	mov	%r15, %rcx
	jrcxz	ring
	lea	-1(%rcx), %rcx
	jrcxz	fault
spin:
	jmp	spin
fault:
	ud2
ring:
	jmp	*THAW_GPA_INFO + THAW_INFO_DONE
	.size make_dirty, . - make_dirty

	.section .rodata
	.balign	64
garbage:
	.fill	64, 1, 0xa5
dirty_tilecfg:			/* palette 1, eight tiles of 16 rows of 64 */
	.byte	1
	.zero	15
	.fill	8, 2, 64
	.zero	16
	.fill	8, 1, 16
	.zero	8
	.balign	64
dirty_pkru:			/* compacted, of PKRU alone */
	.zero	512
	.quad	0x200, 0x8000000000000200
	.zero	48
	.quad	0x55555554
dirty_mxcsr:
	.long	0xff80 & ~0x200 | 0x3f	/* to zero, flushing; all flags */
dirty_fcw:
	.short	0x0c7b & ~0x4		/* truncating, unmasked division */

	.bss
	.balign	64
	.globl saved
saved:
	.zero	SAVED_XSAVE + SAVED_XSAVE_SIZE

	.section .note.GNU-stack, "", @progbits
