/*
 * call_sites.h (x86_64) - system calls of a Linux program, by hand, of the kind that
 * executor/linux/sites.h changes.
 */
#ifndef CALL_SITES_H
#define CALL_SITES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/abi/thaw_shim.h"

/*
 * The registers of a call that jumps to the shim are as SYSCALL leaves them, and nothing
 * below the stack pointer changes. The second way in jumps to the SYSCALL itself.
 */
static long call_by_hand(long call, long entry, uint64_t *ret)
{
	long result;
	uint64_t below;

	__asm__ volatile("movq	%[below_in], -64(%%rsp)\n\t"
			 "movq	$0x1111, %%r12\n\t"
			 "movq	$0x2222, %%r8\n\t"
			 "movq	$0x3333, %%r9\n\t"
			 "movq	$0x4444, %%r10\n\t"
			 "stc\n\t"
			 "std\n\t"
			 "testq	%[entry], %[entry]\n\t"
			 "jnz	2f\n\t"
			 "stc\n\t"
			 "movl	$39, %%eax\n"
			 "1:	syscall\n\t"
			 "jmp	3f\n"
			 "2:	movq	%[call], %%rax\n\t"
			 "stc\n\t"
			 "jmp	1b\n"
			 "3:	pushfq\n\t"
			 "popq	%%rdx\n\t"
			 "cld\n\t"
			 "leaq	1b+2(%%rip), %%rsi\n\t"
			 "subq	%%rcx, %%rsi\n\t"
			 "movq	%%rdx, (%[ret])\n\t"
			 "movq	%%r11, 8(%[ret])\n\t"
			 "movq	%%rsi, 16(%[ret])\n\t"
			 "movq	%%r12, 24(%[ret])\n\t"
			 "movq	%%r8, 32(%[ret])\n\t"
			 "movq	%%r9, 40(%[ret])\n\t"
			 "movq	%%r10, 48(%[ret])\n\t"
			 "movq	-64(%%rsp), %[below]\n\t"
			 : "=&a"(result), [below] "=&D"(below)
			 : [entry] "r"(entry), [call] "r"(call), [ret] "r"(ret),
			   [below_in] "r"(0x5555ul)
			 : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12",
			   "memory", "cc");
	ret[7] = below;
	return result;
}

static inline bool call_site_is_good(long call, long entry, long result)
{
	uint64_t regs[8];

	return call_by_hand(call, entry, regs) == result &&
	       (regs[0] & 0x401) == 0x401 && (regs[1] & 0x401) == 0x401 &&
	       regs[2] == 0 && regs[3] == 0x1111 && regs[4] == 0x2222 &&
	       regs[5] == 0x3333 && regs[6] == 0x4444 && regs[7] == 0x5555;
}

/* By the first way in, of getpid(), and by the second, of getuid(). */
static inline bool call_sites_are_good(void)
{
	return call_site_is_good(39, 0, getpid()) &&
	       call_site_is_good(102, 1, getuid()) &&
	       call_site_is_good(39, 0, getpid());
}

/* Whether the C library's exit_group() is no system call any more, but a jump to ours. */
static inline bool end_jumps(void)
{
	const uintptr_t start = (uintptr_t)_Exit;

	for (uintptr_t at = start; at < start + 64; at++) {
		int32_t distance;
		uintptr_t to;

		memcpy(&distance, (const void *)(at + 1), sizeof(distance));
		to = at + 5 + (uintptr_t)(intptr_t)distance;
		if (*(const uint8_t *)at == 0xe9 && to >= THAW_GPA_SITES &&
		    to < THAW_GPA_SITES + THAW_SITES_SIZE)
			return true;
	}
	return false;
}

#endif
