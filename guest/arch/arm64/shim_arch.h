/* shim_arch.h (arm64) - what the shim of Linux programs needs in assembly. */
#ifndef SHIM_ARCH_H
#define SHIM_ARCH_H

#include <stdint.h>

#include "guest/abi/thaw_shim.h"

/* The name of a function that C libraries look for: vdso(7). */
#define SHIM_VDSO_NAME(name) __kernel_##name

/* The call that the program makes. */
static inline uint64_t shim_arch_number(const struct thaw_shim *shim)
{
	return shim->registers.general[8];
}

static inline const uint64_t *shim_arch_args(const struct thaw_shim *shim)
{
	return shim->registers.general;
}

static inline void shim_arch_return(struct thaw_shim *shim, uint64_t result)
{
	shim->registers.general[0] = result;
}

/* In assembly, so that the compiler makes no call of memcpy() of it. */
static inline void shim_arch_copy(void *to, const void *from, uint64_t size)
{
	uint64_t word;

	__asm__ volatile("	cmp	%2, #8\n"
			 "	b.lo	2f\n"
			 "1:	ldr	%3, [%1], #8\n"
			 "	str	%3, [%0], #8\n"
			 "	sub	%2, %2, #8\n"
			 "	cmp	%2, #8\n"
			 "	b.hs	1b\n"
			 "2:	cbz	%2, 3f\n"
			 "	ldrb	%w3, [%1], #1\n"
			 "	strb	%w3, [%0], #1\n"
			 "	sub	%2, %2, #1\n"
			 "	b	2b\n"
			 "3:\n"
			 : "+r"(to), "+r"(from), "+r"(size), "=&r"(word)
			 :
			 : "memory", "cc");
}

/* Reads the counter that thaw_info's clock counts in. */
static inline uint64_t shim_arch_counter(void)
{
	uint64_t counter;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(counter)::"memory");
	return counter;
}

/* A system call of the program's own, for what only the host can say. */
static inline long shim_arch_call(long number, long first, long second)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = first;
	register long x1 __asm__("x1") = second;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
	return x0;
}

#endif
