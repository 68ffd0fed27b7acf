/* privileged.c (x86_64) - instructions that are not for user mode. */
#include <cpuid.h>

#include <thaw.h>
#include <thaw_arch.h>

#include "arch_behaviours.h"
#include "hostile.h"

ARCH_BEHAVIOURS(DECLARE_BEHAVIOUR)

static const struct {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed)) table = { 0xffff, THAW_GPA_IMAGE };

#define INSTRUCTION(name, text)                                             \
	void name(void)                                                     \
	{                                                                   \
		__asm__ volatile(text                                       \
				 :                                          \
				 : "a"(0l), "c"(0x10l), "d"(0l), "m"(table) \
				 : "memory", "rbx");                        \
	}

INSTRUCTION(halts, "hlt")
INSTRUCTION(disables_interrupts, "cli")
INSTRUCTION(enables_interrupts, "sti")
INSTRUCTION(reads_msr, "rdmsr")
INSTRUCTION(writes_msr, "wrmsr")
INSTRUCTION(reads_cr0, "mov %%cr0, %%rax")
INSTRUCTION(writes_cr0, "mov %%rax, %%cr0")
INSTRUCTION(writes_cr3, "mov %%rax, %%cr3")
INSTRUCTION(writes_cr8, "mov %%rax, %%cr8")
INSTRUCTION(writes_dr7, "mov %%rax, %%dr7")
INSTRUCTION(writes_xcr0, "xor %%ecx, %%ecx; mov $3, %%eax; xsetbv")
INSTRUCTION(loads_gdt, "lgdt %3")
INSTRUCTION(loads_idt, "lidt %3")
INSTRUCTION(loads_ldt, "lldt %%ax")
INSTRUCTION(loads_tr, "mov $0x40, %%eax; ltr %%ax")
INSTRUCTION(loads_msw, "lmsw %%ax")
INSTRUCTION(clears_ts, "clts")
INSTRUCTION(invalidates_page, "invlpg (%%rax)")
INSTRUCTION(invalidates_cache, "wbinvd")
INSTRUCTION(swaps_gs, "swapgs")
INSTRUCTION(reads_counter, "xor %%ecx, %%ecx; rdpmc")
INSTRUCTION(monitors, "xor %%ecx, %%ecx; lea %3, %%rax; monitor")
INSTRUCTION(waits, "xor %%ecx, %%ecx; mwait")
INSTRUCTION(loads_kernel_ds, "mov $0x18, %%eax; mov %%eax, %%ds")
INSTRUCTION(loads_tss_as_ds, "mov $0x43, %%eax; mov %%eax, %%ds")
INSTRUCTION(loads_null_ss, "mov %%eax, %%ss")
INSTRUCTION(calls_vmx_host, "vmcall")
INSTRUCTION(calls_svm_host, "vmmcall")
INSTRUCTION(locks_register, ".byte 0xf0, 0x01, 0xc0") /* lock add eax, eax */

void reads_tables(void)
{
	uint8_t gdt[10], idt[10];
	uint64_t msw, tr;

	__asm__ volatile("sgdt %0; sidt %1; smsw %2; str %3"
			 : "=m"(gdt), "=m"(idt), "=r"(msw), "=r"(tr));
	thaw_reply_printf("read");
}

void reads_cpuid(void)
{
	unsigned a, b, c, d;

	__cpuid(0, a, b, c, d);
	thaw_reply_printf("read");
}

void reads_tsc(void)
{
	uint64_t first = thaw_arch_counter();

	if (thaw_arch_counter() > first)
		thaw_reply_printf("read");
}
