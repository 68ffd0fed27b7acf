/* privileged.c (arm64) - instructions that are not for user mode. */
#include <string.h>

#include <thaw.h>

#include "arch_behaviours.h"
#include "hostile.h"

ARCH_BEHAVIOURS(DECLARE_BEHAVIOUR)

/* A behaviour that is a few instructions; what it clobbers hardly matters. */
#define INSTRUCTIONS(name, text)                                              \
	void name(void)                                                       \
	{                                                                     \
		__asm__ volatile(text ::: "x0", "x1", "x30", "cc", "memory"); \
	}

INSTRUCTIONS(undefined, "udf #0")
INSTRUCTIONS(breakpoint, "brk #1")
INSTRUCTIONS(halting_breakpoint, "hlt #1")
INSTRUCTIONS(system_call, "svc #0")
INSTRUCTIONS(hypervisor_call, "hvc #0")
INSTRUCTIONS(secure_call, ".inst 0xd4000003")
INSTRUCTIONS(returns_from_exception, "eret")
INSTRUCTIONS(waits_for_interrupt, "1: wfi; b 1b")
INSTRUCTIONS(waits_for_event, "1: wfe; b 1b")
INSTRUCTIONS(reads_el1, "mrs x0, sctlr_el1")
INSTRUCTIONS(writes_el1, "mov x0, #0; msr ttbr0_el1, x0")
INSTRUCTIONS(writes_vectors, "mov x0, #0; msr vbar_el1, x0")
INSTRUCTIONS(masks_exceptions, "msr daifset, #15")
INSTRUCTIONS(invalidates_tlb, "tlbi vmalle1")
INSTRUCTIONS(invalidates_cache, "mov x0, sp; dc ivac, x0")
INSTRUCTIONS(reads_counts, "mrs x0, pmccntr_el0")
INSTRUCTIONS(reads_cache_type, "mrs x0, ctr_el0")
INSTRUCTIONS(reads_physical_counter, "mrs x0, cntpct_el0")
INSTRUCTIONS(reads_identity, "mrs x0, midr_el1")
INSTRUCTIONS(reads_debug_channel, "mrs x0, s2_3_c0_c1_0")
INSTRUCTIONS(writes_read_only_base, "msr tpidrro_el0, x0")
/* SCXTNUM_EL0, TPIDR2_EL0, POR_EL0; PTRUE P0.B; SMSTART SM */
INSTRUCTIONS(writes_context_number, "msr s3_3_c13_c0_7, x0")
INSTRUCTIONS(writes_second_base, "msr s3_3_c13_c0_5, x0")
INSTRUCTIONS(writes_overlays, "msr s3_3_c10_c2_4, x0")
INSTRUCTIONS(uses_sve, ".inst 0x2518e3e0")
INSTRUCTIONS(uses_sme, ".inst 0xd503437f")
INSTRUCTIONS(stack_askew, "mov x0, sp; add x0, x0, #1; mov sp, x0;"
			  "ldr x0, [sp]")

void cleans_cache(void)
{
	__asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb"
			 :
			 : "r"(cleans_cache)
			 : "memory");
	thaw_reply_printf("cleaned");
}

/* PACIASP: as code built with -mbranch-protection has it. No key is enabled. */
void signs_pointer(void)
{
	uint64_t before = HIDDEN(0x123456), after = before;

	__asm__ volatile("mov x30, %0; hint #25; mov %0, x30"
			 : "+r"(after)
			 :
			 : "x30");
	thaw_reply_printf(after == before ? "signed" : "changed");
}

/* A whole cache line of what may not be written. */
void zeroes_code(void)
{
	__asm__ volatile("dc zva, %0" : : "r"(zeroes_code) : "memory");
}

/* A timer that fires during the next invocation would be one too many. */
void sets_timer(void)
{
	__asm__ volatile("msr cntv_tval_el0, xzr; mov x0, #1;"
			 "msr cntv_ctl_el0, x0" ::
				 : "x0", "memory");
	thaw_reply_printf("set");
}

void jump_askew(void)
{
	jump((uint64_t)jump_askew + 2);
}

void read_upper_half(void)
{
	peek(0xffff800000000000);
}

void done_without_stack(void)
{
	const volatile struct thaw_info *info = (const void *)THAW_GPA_INFO;
	volatile struct thaw_mailbox *mailbox = (void *)THAW_GPA_MAILBOX;

	memcpy((void *)info->reply_start, "without", 7);
	mailbox->reply_size = 7;
	__asm__ volatile("mov sp, %1; str %w0, [%2]"
			 :
			 : "r"(THAW_BELL_DONE), "r"(-16l),
			   "r"(THAW_DOORBELL_GPA)
			 : "memory");
	__builtin_unreachable();
}
