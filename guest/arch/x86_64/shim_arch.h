/* shim_arch.h (x86_64) - what the shim of Linux programs needs in assembly. */
#ifndef SHIM_ARCH_H
#define SHIM_ARCH_H

#include <stdint.h>

#include "guest/abi/thaw_shim.h"

/* The name of a function that C libraries look for: vdso(7). */
#define SHIM_VDSO_NAME(name) __vdso_##name

/* The call that the program makes. */
static inline uint64_t shim_arch_number(const struct thaw_shim *shim)
{
	return shim->number;
}

static inline const uint64_t *shim_arch_args(const struct thaw_shim *shim)
{
	return shim->args;
}

static inline void shim_arch_return(struct thaw_shim *shim, uint64_t result)
{
	shim->result = result;
}

static inline void shim_arch_copy(void *to, const void *from, uint64_t size)
{
	__asm__ volatile("rep movsb"
			 : "+D"(to), "+S"(from), "+c"(size)
			 :
			 : "memory");
}

/* Reads the counter that thaw_info's clock counts in. */
static inline uint64_t shim_arch_counter(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* A system call of the program's own, for what only the host can say. */
static inline long shim_arch_call(long number, long first, long second)
{
	long result = number;

	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"(first), "S"(second)
			 : "rcx", "r11", "memory");
	return result;
}

#endif
