/* state.c (arm64) - what arithmetic and exclusive access leave behind. */
#include <thaw.h>

#include "arch_behaviours.h"
#include "hostile.h"

ARCH_BEHAVIOURS(DECLARE_BEHAVIOUR)
DECLARE_BEHAVIOUR(enter_gate, 0, NULL)

void divides_by_zero(void)
{
	uint64_t quotient;

	__asm__ volatile("udiv %0, %1, xzr" : "=r"(quotient) : "r"(7l));
	if (!quotient)
		thaw_reply_printf("zero");
}

/* A load-exclusive whose store never comes. */
void done_with_pending_monitor(void)
{
	uint32_t word = 0;

	__asm__ volatile("ldxr w0, [%0]" : : "r"(&word) : "x0", "memory");
	__asm__ volatile("str %w0, [%1]"
			 :
			 : "r"(THAW_BELL_DONE), "r"(THAW_DOORBELL_GPA)
			 : "memory");
}

/* Division by zero with its trap enabled, where the CPU has it. */
void traps_floats(void)
{
	__asm__ volatile("mov x0, #0x200; msr fpcr, x0; fmov s0, #1.0;"
			 "movi v1.2d, #0; fdiv s0, s0, s1" ::
				 : "x0", "v0", "v1");
	thaw_reply_printf("divided");
}

/* The SVC of thaw_stub_call is the stub's third instruction. */
void enter_gate(void)
{
	((void (*)(void))HIDDEN(THAW_GPA_STUB + 8))();
}
