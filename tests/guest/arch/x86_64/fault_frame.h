/* fault_frame.h (x86_64) - a fault with a frame pointer of one's own. */
#ifndef FAULT_FRAME_H
#define FAULT_FRAME_H

#include <stdint.h>

/* Reads the address 8 while the frame pointer is @frame. */
static inline __attribute__((always_inline, noreturn)) void
fault_frame(uintptr_t frame)
{
	__asm__ volatile("mov %0, %%rbp\n\t"
			 "mov 8, %%al\n"
			 :
			 : "r"(frame)
			 : "memory");
	__builtin_unreachable();
}

/* The same with the stack pointer @sp. */
static inline __attribute__((always_inline, noreturn)) void
fault_frame_stack(uintptr_t frame, uintptr_t sp)
{
	__asm__ volatile("mov %1, %%rsp\n\t"
			 "mov %0, %%rbp\n\t"
			 "mov 8, %%al\n"
			 :
			 : "r"(frame), "r"(sp)
			 : "memory");
	__builtin_unreachable();
}

#endif
