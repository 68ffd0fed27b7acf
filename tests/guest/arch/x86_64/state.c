/* state.c (x86_64) - flags, floating point, and what they leave pending. */
#include <string.h>

#include <thaw.h>

#include "arch_behaviours.h"
#include "hostile.h"

ARCH_BEHAVIOURS(DECLARE_BEHAVIOUR)
DECLARE_BEHAVIOUR(enter_gate, 0, NULL)

#define FLAG_TRAP "0x100"
#define FLAG_IOPL "0x3000"
#define FLAG_ALIGNMENT "0x40000"

#define SET_FLAG(flag) "pushf; orq $" flag ", (%%rsp); popf;"

static const uint8_t garbage[1024] __attribute__((aligned(64))) = {
	[24] = 0x80, [25] = 0x1f, [512] = 0xff, [519] = 0x80, [520 + 7] = 0x40,
};

void traps_each_step(void)
{
	__asm__ volatile(SET_FLAG(FLAG_TRAP) "nop; nop; nop" ::: "memory");
}

#define RING(bell, before)                                               \
	__asm__ volatile(before "out %%al, %1"                           \
			 :                                               \
			 : "a"(bell), "N"(THAW_DOORBELL_PORT), "c"(0x2b) \
			 : "memory")

/* The trap that follows the doorbell must not hit the next invocation. */
void done_with_trap_flag(void)
{
	RING(THAW_BELL_DONE, SET_FLAG(FLAG_TRAP));
}

/* Loading SS puts the trap off, to behind the doorbell. */
void done_with_trap_flag_and_shadow(void)
{
	RING(THAW_BELL_DONE, SET_FLAG(FLAG_TRAP) "mov %%ecx, %%ss;");
}

void done_by_string_with_trap_flag(void)
{
	static const uint8_t done = THAW_BELL_DONE; /* PUSHF writes the stack */
	const void *from = &done;

	__asm__ volatile(SET_FLAG(FLAG_TRAP) "outsb"
			 : "+S"(from)
			 : "d"(THAW_DOORBELL_PORT)
			 : "memory");
}

void refuses_with_trap_flag(void)
{
	RING(THAW_BELL_REFUSED, SET_FLAG(FLAG_TRAP));
}

void log_with_trap_flag(void)
{
	RING(THAW_BELL_LOG, SET_FLAG(FLAG_TRAP) "mov %%ecx, %%ss;");
}

void done_behind_stack_switch(void)
{
	RING(THAW_BELL_DONE, "mov %%ecx, %%ss;");
}

void raises_own_privilege(void)
{
	__asm__ volatile(SET_FLAG(FLAG_IOPL) "cli" ::: "memory");
}

void checks_alignment(void)
{
	uint8_t bytes[16] = { 0 };

	__asm__ volatile(SET_FLAG(FLAG_ALIGNMENT) "mov %0, %%rax"
			 :
			 : "m"(bytes[1])
			 : "rax", "memory");
	thaw_reply_printf("unaligned");
}

void sse_exception(void)
{
	const uint32_t unmasked = 0x1f80 & ~0x200u; /* division by zero */

	__asm__ volatile("ldmxcsr %0; pcmpeqd %%xmm0, %%xmm0; psrld $31, %%xmm0;"
			 "cvtdq2ps %%xmm0, %%xmm0; xorps %%xmm1, %%xmm1;"
			 "divps %%xmm1, %%xmm0"
			 :
			 : "m"(unmasked)
			 : "xmm0", "xmm1");
}

#define X87_DIVIDE "fninit; fldcw %0; fldz; fld1; fdivp;"
static const uint16_t x87_unmasked = 0x37f & ~0x4u; /* division by zero */

void x87_exception(void)
{
	__asm__ volatile(X87_DIVIDE "fwait" : : "m"(x87_unmasked));
}

/* It would hit the first x87 instruction that checks. */
void done_with_x87_pending(void)
{
	__asm__ volatile(X87_DIVIDE : : "m"(x87_unmasked));
	RING(THAW_BELL_DONE, "");
}

void mxcsr_reserved(void)
{
	const uint32_t all = 0xffffffff;

	__asm__ volatile("ldmxcsr %0" : : "m"(all));
}

void sse_unaligned(void)
{
	__asm__ volatile("movaps %0, %%xmm0" : : "m"(garbage[1]) : "xmm0");
}

void xrstor_garbage(void)
{
	__asm__ volatile("xrstor64 %0" : : "m"(garbage), "a"(-1), "d"(-1));
}

void uses_amx(void)
{
	__asm__ volatile(
		".byte 0xc4, 0xe2, 0x78, 0x49, 0xc0"); /* tilerelease */
}

/* Closes all keys but that of every page, 0. */
void writes_pkru(void)
{
	__asm__ volatile("wrpkru" : : "a"(~3), "c"(0), "d"(0));
}

/* Looks for the breakpoint of thaw_stub_trap: INT3, UD2. */
void enter_gate(void)
{
	const volatile uint8_t *code = (const void *)HIDDEN(THAW_GPA_STUB);

	while (code[0] != 0xcc || code[1] != 0x0f || code[2] != 0x0b)
		code++;
	((void (*)(void))(uint64_t)code)();
}
