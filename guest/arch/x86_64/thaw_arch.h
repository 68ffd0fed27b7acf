/* thaw_arch.h (x86_64) - what the SDK needs in assembly. */
#ifndef THAW_ARCH_H
#define THAW_ARCH_H

#include <stdbool.h>
#include <stdint.h>
#include <thaw_abi.h>

#define THAW_ARCH_INDIRECT 37 /* R_X86_64_IRELATIVE */

/* Rings the doorbell: everything stored so far is seen by the host. */
static inline void thaw_arch_ring(uint8_t bell)
{
	__asm__ volatile("out %0, %1"
			 :
			 : "a"(bell), "N"(THAW_DOORBELL_PORT)
			 : "memory");
}

/*
 * Reads the doorbell instead. No function has a business to: it ends the
 * invocation, and the vm is replaced.
 */
static inline void thaw_arch_read_bell(void)
{
	__asm__ volatile("in %0, %%al" : : "N"(THAW_DOORBELL_PORT) : "eax");
}

/* Reads the counter that thaw_info's clock counts in. */
static inline uint64_t thaw_arch_counter(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#define THAW_CPUID_FEATURES 7
#define THAW_CPUID_FSGSBASE 1u

/* Whether user mode can set the base of FS. */
static inline bool thaw_arch_has_thread_pointer(void)
{
	uint32_t a = THAW_CPUID_FEATURES, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b & THAW_CPUID_FSGSBASE;
}

/*
 * Where the thread pointer is for variables at @start to @end: behind them, and
 * it points to itself (psABI, "TLS variant II").
 */
static inline uint64_t
thaw_arch_place_thread_pointer(uint64_t start, uint64_t end, uint64_t align)
{
	uint64_t pointer = (end + align - 1) & -align;

	(void)start;
	*(uint64_t *)pointer = pointer;
	return pointer;
}

static inline void thaw_arch_set_thread_pointer(uint64_t pointer)
{
	__asm__ volatile("wrfsbase %0" : : "r"(pointer) : "memory");
}

#endif
