/* control.c (x86_64) - exceptions, gates, and jumps to where code is not. */
#include <string.h>

#include <thaw.h>
#include <thaw_arch.h>

#include "arch_behaviours.h"
#include "hostile.h"

ARCH_BEHAVIOURS(DECLARE_BEHAVIOUR)

/* A behaviour that is a few instructions; what it clobbers hardly matters. */
#define INSTRUCTIONS(name, text)                                          \
	void name(void)                                                   \
	{                                                                 \
		__asm__ volatile(text ::: "rax", "rcx", "rdx", "memory"); \
	}

INSTRUCTIONS(divides_by_zero, "xor %%ecx, %%ecx; xor %%edx, %%edx; div %%ecx")
INSTRUCTIONS(undefined, "ud2")
INSTRUCTIONS(breakpoint, "int3")
INSTRUCTIONS(int_0x80, "int $0x80")
INSTRUCTIONS(int_fault_vector, "int $14")
INSTRUCTIONS(int_double_fault, "int $8")
INSTRUCTIONS(icebp, ".byte 0xf1")
INSTRUCTIONS(into, ".byte 0xce")
INSTRUCTIONS(system_call, "syscall")
INSTRUCTIONS(system_enter, "sysenter")
INSTRUCTIONS(system_return, "sysretq")
INSTRUCTIONS(jump_far_32bit, "ljmpl *1f\n"
			     ".pushsection .rodata\n"
			     "1: .long 0x100000; .short 0x23\n"
			     ".popsection")
INSTRUCTIONS(return_far_32bit, "push $0x23; push $0x100000; lretq")
INSTRUCTIONS(return_far_kernel, "push $0x10; push $0x100000; lretq")
INSTRUCTIONS(iret_32bit, "push $0x2b; push %%rsp; push $2; push $0x23;"
			 "push $0x100000; iretq")
INSTRUCTIONS(iret_kernel, "push $0x18; push %%rsp; push $2; push $0x10;"
			  "push $0x100000; iretq")

void jump_not_canonical(void)
{
	jump(0x8000000000000000);
}

void read_not_canonical(void)
{
	peek(0x8000000000000000);
}

INSTRUCTIONS(push_not_canonical, "mov $0x8000000000000000, %%rsp; push %%rax")
INSTRUCTIONS(fault_without_stack, "xor %%esp, %%esp; ud2")

void done_without_stack(void)
{
	const volatile struct thaw_info *info = (const void *)THAW_GPA_INFO;
	volatile struct thaw_mailbox *mailbox = (void *)THAW_GPA_MAILBOX;

	memcpy((void *)info->reply_start, "without", 7);
	mailbox->reply_size = 7;
	__asm__ volatile("mov $0x8000000000000000, %%rsp; out %0, %1"
			 :
			 : "a"((uint8_t)THAW_BELL_DONE), "N"(THAW_DOORBELL_PORT)
			 : "memory");
	__builtin_unreachable();
}

/* The entry stub's ud2, where a SYSCALL may end, with a wild RCX. */
void jump_stub_syscall(void)
{
	uint64_t at = THAW_GPA_STUB;

	/* ud2 ; padding ; the image of xrstor, which has 1f80 at 24 */
	while (memcmp((void *)at, "\x0f\x0b", 2))
		at++;
	__asm__ volatile("jmp *%0" : : "r"(at), "c"(-1l));
	__builtin_unreachable();
}

void read_upper_half(void)
{
	peek(0xffff800000000000);
}
