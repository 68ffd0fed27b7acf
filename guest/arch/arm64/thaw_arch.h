/* thaw_arch.h (arm64) - what the SDK needs in assembly. */
#ifndef THAW_ARCH_H
#define THAW_ARCH_H

#include <stdbool.h>
#include <stdint.h>
#include <thaw_abi.h>

#define THAW_ARCH_INDIRECT 1032 /* R_AARCH64_IRELATIVE */

/* Rings the doorbell: everything stored so far is seen by the host. */
static inline void thaw_arch_ring(uint8_t bell)
{
	__asm__ volatile("str %w0, [%1]"
			 :
			 : "r"((uint32_t)bell), "r"(THAW_DOORBELL_GPA)
			 : "memory");
}

/*
 * Reads the doorbell instead. No function has a business to: it ends the
 * invocation, and the vm is replaced.
 */
static inline void thaw_arch_read_bell(void)
{
	__asm__ volatile("ldr w0, [%0]" : : "r"(THAW_DOORBELL_GPA) : "x0");
}

/* Reads the counter that thaw_info's clock counts in. */
static inline uint64_t thaw_arch_counter(void)
{
	uint64_t counter;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(counter)::"memory");
	return counter;
}

static inline bool thaw_arch_has_thread_pointer(void)
{
	return true;
}

/*
 * Where the thread pointer is for variables at @start to @end: before them, and
 * before two words that only dynamic linkers use (AAELF64, "TLS variant I").
 */
static inline uint64_t
thaw_arch_place_thread_pointer(uint64_t start, uint64_t end, uint64_t align)
{
	(void)end;
	return start - ((2 * sizeof(uint64_t) + align - 1) & -align);
}

static inline void thaw_arch_set_thread_pointer(uint64_t pointer)
{
	__asm__ volatile("msr tpidr_el0, %0" : : "r"(pointer) : "memory");
}

#endif
