/*
 * signals_asm.h - instructions that make signals, and registers that must survive them,
 * for signals.c. The headers that say how a frame looks tell the architecture.
 */
#ifndef TESTS_LINUX_SIGNALS_ASM_H
#define TESTS_LINUX_SIGNALS_ASM_H

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

/* Each faults at its first instruction. */
void asm_illegal(void);
void asm_break(void);
/* Returns what the handler of its illegal instruction puts there, which it skips. */
int asm_skip(void);
/* Sets the stack pointer and makes the system call. */
void asm_sigreturn_at(void *sp);
void asm_kill_at(void *sp, long pid, long signal);
/*
 * Save all vector registers at @before, call kill() twice or spin until *@count is
 * @least, save them at @after. Return whether all general registers are as before.
 */
int asm_kill(long pid, long signal, void *before, void *after);
int asm_spin(volatile int *count, long least, void *before, void *after);

static char registers_before[16384] __attribute__((aligned(64)));
static char registers_after[16384] __attribute__((aligned(64)));

#ifdef REG_RIP

#define ILLEGAL_CODE ILL_ILLOPN
#define BREAK_CODE SI_KERNEL
#define BREAK_ADDRESS NULL
#define HAS_DIVISION_FAULT 1
#define WILD_ADDRESS 0x8000000000000000

void asm_divide(void);
void asm_float(void);
extern const char asm_float_at[];

__asm__(".text\n"
	"asm_illegal:	ud2\n"
	"asm_break:	int3\n"
	"	ret\n"
	"asm_zero:	.quad 0\n"
	"asm_divide:	divl asm_zero(%rip)\n"
	"asm_mxcsr:	.long 0x1d80\n"
	"asm_float:	ldmxcsr asm_mxcsr(%rip)\n"
	"	mov $1, %eax\n"
	"	cvtsi2ss %eax, %xmm0\n"
	"asm_float_at:	divss asm_zero(%rip), %xmm0\n"
	"asm_skip:	mov $1, %eax\n"
	"	ud2\n"
	"	ret\n"
	"asm_sigreturn_at:	mov %rdi, %rsp\n"
	"	mov $15, %eax\n"
	"	syscall\n"
	"	hlt\n"
	"asm_kill_at:	mov %rdi, %rsp\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov $62, %eax\n"
	"	syscall\n"
	"	hlt\n"
	".macro registers_begin\n"
	"	push %rbx\n"
	"	push %rbp\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	mov %rdx, %r14\n"
	"	mov %rcx, %r15\n"
	"	.irp n, 8, 9, 10, 12, 13\n"
	"	mov $\\n, %r\\n\n"
	"	.endr\n"
	"	mov $101, %ebx\n"
	"	mov $102, %ebp\n"
	"	mov $-1, %eax\n"
	"	mov $-1, %edx\n"
	"	xsave64 (%r14)\n"
	".endm\n"
	".macro registers_end\n"
	"	mov $-1, %eax\n"
	"	mov $-1, %edx\n"
	"	xsave64 (%r15)\n"
	"	xor %eax, %eax\n"
	"	.irp n, 8, 9, 10, 12, 13\n"
	"	cmp $\\n, %r\\n\n"
	"	jne 9f\n"
	"	.endr\n"
	"	cmp $101, %rbx\n"
	"	jne 9f\n"
	"	cmp $102, %rbp\n"
	"	jne 9f\n"
	"	mov $1, %eax\n"
	"9:	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbp\n"
	"	pop %rbx\n"
	"	ret\n"
	".endm\n"
	"asm_kill:	registers_begin\n"
	"	movq $77, -128(%rsp)\n" /* the red zone */
	"	mov $62, %eax\n"
	"	syscall\n"
	"	mov $62, %eax\n"
	"	syscall\n"
	"	cmpq $77, -128(%rsp)\n"
	"	cmovne %rax, %rbx\n"
	"	registers_end\n"
	"asm_spin:	registers_begin\n"
	"	mov $103, %ecx\n"
	"	mov $104, %r11d\n"
	"1:	cmp %esi, (%rdi)\n"
	"	jl 1b\n"
	"	cmp $103, %rcx\n"
	"	cmovne %rax, %rbx\n"
	"	cmp $104, %r11\n"
	"	cmovne %rax, %rbx\n"
	"	registers_end\n");

static void fill_registers(void)
{
	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile("vpternlogd $255, %zmm3, %zmm3, %zmm3\n"
				 "vpternlogd $255, %zmm19, %zmm19, %zmm19\n"
				 "kxnorw %k3, %k3, %k3");
	else if (__builtin_cpu_supports("avx2"))
		__asm__ volatile("vpcmpeqd %ymm3, %ymm3, %ymm3");
	__asm__ volatile("pcmpeqd %xmm5, %xmm5\n\tfldpi\n\tfstp %st(0)");
}

static inline void asm_clobber(void)
{
	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile("vpxord %zmm19, %zmm19, %zmm19\n"
				 "kxorw %k3, %k3, %k3");
	if (__builtin_cpu_supports("avx2"))
		__asm__ volatile("vzeroall");
	__asm__ volatile("pxor %xmm5, %xmm5\n\tfldz\n\tfldz");
}

static inline int is_frame_good(const ucontext_t *uc)
{
	const uint8_t *vector = (const uint8_t *)uc->uc_mcontext.fpregs;
	uint32_t first, whole, size, mark;
	uint64_t selectors = (uint64_t)uc->uc_mcontext.gregs[REG_CSGSFS];

	memcpy(&first, vector + 464, 4);
	memcpy(&whole, vector + 468, 4);
	memcpy(&size, vector + 480, 4);
	if (size < 576 || size > 16384 || whole != size + 4)
		return 0;
	memcpy(&mark, vector + size, 4);
	return first == 0x46505853 && mark == 0x46505845 &&
	       (uintptr_t)vector % 64 == 0 && (uintptr_t)uc % 16 == 0 &&
	       uc->uc_flags == 7 && (selectors & 0xffff) == 0x33;
}

static inline void skip_illegal(ucontext_t *uc)
{
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_RAX] = 77;
}

#define SPOILS 7
#define SPOILED_CODE SI_KERNEL
static inline void spoil_frame(ucontext_t *uc, int how)
{
	uint8_t *vector = (uint8_t *)uc->uc_mcontext.fpregs;
	uint64_t *selectors = (uint64_t *)&uc->uc_mcontext.gregs[REG_CSGSFS];

	switch (how) {
	case 0:
		*selectors = (*selectors & ~UINT64_C(0xffff)) | 0x10;
		break;
	case 1:
		*selectors = (*selectors << 16 >> 16) | UINT64_C(0x10) << 48;
		break;
	case 2:
		uc->uc_mcontext.fpregs = (void *)(vector + 8);
		break;
	case 3:
		uc->uc_mcontext.fpregs = (void *)64;
		break;
	case 4:
		memset(vector + 24, 0xff, 4);
		break;
	case 5:
		memset(vector + 520, 0xff, 8);
		break;
	case 6:
		uc->uc_mcontext.gregs[REG_RIP] = INT64_MIN;
		break;
	}
}

#else

#define ILLEGAL_CODE ILL_ILLOPC
#define BREAK_CODE TRAP_BRKPT
#define BREAK_ADDRESS ((void *)(uintptr_t)asm_break)
#define HAS_DIVISION_FAULT 0
#define WILD_ADDRESS 0

#define asm_divide asm_illegal
#define asm_float asm_illegal
#define asm_float_at asm_illegal

__asm__(".text\n"
	"asm_illegal:	.inst 0\n"
	"asm_break:	brk #0\n"
	"asm_skip:	mov w0, #1\n"
	"	.inst 0\n"
	"	ret\n"
	"asm_sigreturn_at:	mov sp, x0\n"
	"	mov x8, #139\n"
	"	svc #0\n"
	"	.inst 0\n"
	"asm_kill_at:	mov sp, x0\n"
	"	mov x0, x1\n"
	"	mov x1, x2\n"
	"	mov x8, #129\n"
	"	svc #0\n"
	"	.inst 0\n"
	".macro save to\n"
	"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	str q\\n, [\\to, #(\\n * 16)]\n"
	"	.endr\n"
	"	.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29\n"
	"	str q\\n, [\\to, #(\\n * 16)]\n"
	"	.endr\n"
	"	str q30, [\\to, #480]\n"
	"	str q31, [\\to, #496]\n"
	".endm\n"
	".macro registers_begin\n"
	"	.irp n, 5, 6, 7, 9, 11, 12, 13, 14, 15, 16, 17\n"
	"	mov x\\n, #\\n\n"
	"	.endr\n"
	"	mov x10, x30\n"
	"	mov x30, #30\n"
	"	save x2\n"
	".endm\n"
	".macro registers_end\n"
	"	save x3\n"
	"	mov x0, #0\n"
	"	.irp n, 5, 6, 7, 9, 11, 12, 13, 14, 15, 16, 17, 30\n"
	"	cmp x\\n, #\\n\n"
	"	b.ne 9f\n"
	"	.endr\n"
	"	mov x0, #1\n"
	"9:	ret x10\n"
	".endm\n"
	"asm_kill:	registers_begin\n"
	"	mov x4, x0\n"
	"	mov x8, #129\n"
	"	svc #0\n"
	"	mov x0, x4\n"
	"	svc #0\n"
	"	registers_end\n"
	"asm_spin:	registers_begin\n"
	"1:	ldr w4, [x0]\n"
	"	cmp w4, w1\n"
	"	b.lt 1b\n"
	"	registers_end\n");

static void fill_registers(void)
{
	__asm__ volatile("movi v5.16b, #255\n\tmovi v21.16b, #7");
}

static inline void asm_clobber(void)
{
	__asm__ volatile("movi v5.16b, #0\n\tmovi v21.16b, #0" ::: "v5", "v21");
}

static inline int is_frame_good(const ucontext_t *uc)
{
	uint32_t head[2];

	memcpy(head, uc->uc_mcontext.__reserved, sizeof(head));
	return head[0] == 0x46508001 && head[1] == 528 &&
	       (uintptr_t)uc % 16 == 0;
}

static inline void skip_illegal(ucontext_t *uc)
{
	uc->uc_mcontext.pc += 4;
	uc->uc_mcontext.regs[0] = 77;
}

#define SPOILS 3
#define SPOILED_CODE SEGV_ACCERR
static inline void spoil_frame(ucontext_t *uc, int how)
{
	uint8_t *records = (uint8_t *)uc->uc_mcontext.__reserved;

	switch (how) {
	case 0:
		uc->uc_mcontext.pstate = 5;
		break;
	case 1:
		records[0]++;
		break;
	case 2:
		memset(records + 4, 0xff, 4);
		break;
	}
}

#endif

static inline int are_registers_kept(int are_general)
{
	return are_general && !memcmp(registers_before, registers_after,
				      sizeof(registers_before));
}

static inline int asm_raise_keeps(long pid, long signal)
{
	fill_registers();
	return are_registers_kept(
		asm_kill(pid, signal, registers_before, registers_after));
}

static inline int asm_spin_keeps(volatile int *count, long least)
{
	fill_registers();
	return are_registers_kept(
		asm_spin(count, least, registers_before, registers_after));
}

#endif
