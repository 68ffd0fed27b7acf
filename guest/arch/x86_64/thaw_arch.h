/* thaw_arch.h (x86_64) - what the SDK needs in assembly. */
#ifndef THAW_ARCH_H
#define THAW_ARCH_H

#include <stdint.h>
#include <thaw_abi.h>

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

#endif
