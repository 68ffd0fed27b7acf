/* doorbell.c (arm64) - every way but the right one to use the doorbell. */
#include <thaw.h>

#include "arch_behaviours.h"
#include "hostile.h"

ARCH_BEHAVIOURS(DECLARE_BEHAVIOUR)

/* A behaviour that is one access: %0 is the doorbell, %1 and %w1 are DONE. */
#define ACCESS(name, text)                                            \
	void name(void)                                               \
	{                                                             \
		uint64_t bell = HIDDEN(THAW_DOORBELL_GPA);            \
                                                                      \
		__asm__ volatile(text                                 \
				 : "+r"(bell)                         \
				 : "r"((uint64_t)THAW_BELL_DONE)      \
				 : "x0", "x1", "v0", "cc", "memory"); \
	}

ACCESS(store_8bit, "strb %w1, [%0]")
ACCESS(store_16bit, "strh %w1, [%0]")
ACCESS(store_64bit, "str %1, [%0]")
ACCESS(store_pair, "stp %w1, %w1, [%0]")
ACCESS(store_vector, "movi v0.4s, #2; str q0, [%0]")
ACCESS(store_unaligned, "add %0, %0, #1; str %w1, [%0]")
ACCESS(store_at_offset, "str %w1, [%0, #4]")
ACCESS(store_exclusive, "1: ldaxr w0, [%0]; stlxr w1, %w1, [%0]; cbnz w1, 1b")
ACCESS(store_written_back, "mov w0, #5; str w0, [%0], #4")
ACCESS(load_doorbell, "ldr w0, [%0]")
ACCESS(store_fault_door, "add %0, %0, #4096; str %w1, [%0]")
ACCESS(store_beyond_doors, "add %0, %0, #8192; str %w1, [%0]")
ACCESS(ring_wide_value, "mov w0, #0xffffff02; str w0, [%0]")

void execute_doorbell(void)
{
	jump(THAW_DOORBELL_GPA);
}
