/*
 * shim.S (x86_64) - where system calls of a Linux program arrive in user mode. See
 * thaw_shim.h. thaw_stub_linux has put RCX and R11 away, where SYSCALL leaves the
 * program's address and flags.
 */
#include "guest/abi/thaw_shim.h"

	.section .text.entry, "ax"
	.globl	shim_entry
shim_entry:
	mov	%rsp, THAW_GPA_SHIM + THAW_SHIM_SP
	jmp	1f

	/* With RCX set, and RSP and the flags as the program has them. */
	.org	shim_entry + THAW_VDSO_JUMP - THAW_VDSO_ENTRY
	mov	%rsp, THAW_GPA_SHIM + THAW_SHIM_SP
	mov	%rcx, THAW_GPA_SHIM + THAW_SHIM_PC
	mov	$THAW_SHIM_STACK_TOP, %esp
	pushfq
	pop	THAW_GPA_SHIM + THAW_SHIM_FLAGS

1:	mov	%rax, THAW_GPA_SHIM + THAW_SHIM_NUMBER
	mov	%rdi, THAW_GPA_SHIM + THAW_SHIM_ARGS
	mov	%rsi, THAW_GPA_SHIM + THAW_SHIM_ARGS + 8
	mov	%rdx, THAW_GPA_SHIM + THAW_SHIM_ARGS + 16
	mov	%r10, THAW_GPA_SHIM + THAW_SHIM_ARGS + 24
	mov	%r8, THAW_GPA_SHIM + THAW_SHIM_ARGS + 32
	mov	%r9, THAW_GPA_SHIM + THAW_SHIM_ARGS + 40
	mov	$THAW_SHIM_STACK_TOP, %esp
	cld
	call	shim_enter
	test	%eax, %eax
	jz	2f

	push	THAW_GPA_SHIM + THAW_SHIM_FLAGS
	popfq
	call	load
	mov	THAW_GPA_SHIM + THAW_SHIM_RESULT, %rax
	mov	THAW_GPA_SHIM + THAW_SHIM_SP, %rsp
	jmp	*%rcx

2:	call	load
	mov	THAW_GPA_SHIM + THAW_SHIM_NUMBER, %rax
	mov	THAW_GPA_SHIM + THAW_SHIM_SP, %rsp
	out	%al, $THAW_CALL_PORT
	ud2

/* All that the C code may have changed. */
load:
	mov	THAW_GPA_SHIM + THAW_SHIM_ARGS, %rdi
	mov	THAW_GPA_SHIM + THAW_SHIM_ARGS + 8, %rsi
	mov	THAW_GPA_SHIM + THAW_SHIM_ARGS + 16, %rdx
	mov	THAW_GPA_SHIM + THAW_SHIM_ARGS + 24, %r10
	mov	THAW_GPA_SHIM + THAW_SHIM_ARGS + 32, %r8
	mov	THAW_GPA_SHIM + THAW_SHIM_ARGS + 40, %r9
	mov	THAW_GPA_SHIM + THAW_SHIM_PC, %rcx
	mov	THAW_GPA_SHIM + THAW_SHIM_FLAGS, %r11
	ret

	.section .note.GNU-stack, "", @progbits
