/* hostile_faults.c - how hostile.c faults, and what its handlers do then. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "hostile.h"

/* Alone in its page, so that nothing else stops being code for a moment. */
int asm_seven(void);
extern char asm_seven_number[];

#ifdef REG_RIP
__asm__(".text\n"
	"	.balign 4096\n"
	"asm_seven:	.byte 0xb8\n" /* mov $7, %eax */
	"asm_seven_number:	.long 7\n"
	"	ret\n"
	"	.balign 4096\n");
#define EIGHT 8u
#else
__asm__(".text\n"
	"	.balign 4096\n"
	"asm_seven:\n"
	"asm_seven_number:	mov w0, #7\n"
	"	ret\n"
	"	.balign 4096\n");
#define EIGHT 0x52800100u /* mov w0, #8 */
#endif

int seven(void)
{
	return asm_seven();
}

int patch_seven(int prot)
{
	const uint32_t eight = EIGHT;
	char *page = (char *)((uintptr_t)asm_seven & ~(uintptr_t)(PAGE - 1));

	if (mprotect(page, PAGE, prot))
		return errno;
	memcpy(asm_seven_number, &eight, sizeof(eight));
	__builtin___clear_cache(asm_seven_number, asm_seven_number + 4);
	return mprotect(page, PAGE, PROT_READ | PROT_EXEC) ? errno : 0;
}

static volatile int count;
static char *pages; /* none of which may be touched */
#define PAGES 24

static void *map_pages(void)
{
	void *at = mmap(NULL, PAGES * PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	return at;
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *),
		   int flags)
{
	struct sigaction action = { .sa_sigaction = handler,
				    .sa_flags = flags | SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	CHECK(!sigaction(signal, &action, NULL));
}

static void use_stack(size_t size)
{
	const stack_t stack = { .ss_sp = malloc(size), .ss_size = size };

	CHECK(stack.ss_sp && !sigaltstack(&stack, NULL));
}

static void on_loop(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
	count++;
}

/* Its handler changes nothing, so the instruction faults for ever. */
void do_fault_loop(void)
{
	pages = map_pages();
	handle(SIGSEGV, on_loop, 0);
	*(volatile char *)pages = 1;
}

/* Each fault is mended only after one more has been, deeper on the same stack. */
static void on_nested(int signal, siginfo_t *info, void *context)
{
	char *page = pages + (size_t)count * PAGE;
	volatile double kept = count * 1.5;

	(void)signal;
	(void)context;
	CHECK(info->si_addr == page && info->si_code == SEGV_ACCERR);
	if (++count < PAGES)
		*(volatile char *)(page + PAGE) = (char)count;
	CHECK(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	CHECK(kept == (double)(page - pages) / PAGE * 1.5);
}

void do_nested_faults(void)
{
	pages = map_pages();
	use_stack(1 << 20);
	handle(SIGSEGV, on_nested, SA_NODEFER | SA_ONSTACK);
	*(volatile char *)pages = 77;
	CHECK(count == PAGES && pages[0] == 77);
	for (int i = 1; i < PAGES; i++)
		CHECK(pages[i * PAGE] == i);
}

static void clobber(void)
{
	const uint64_t other = 0x1111111111111111;

#ifdef REG_RIP
	__asm__ volatile("movq %0, %%xmm5\n\tmovq %0, %%xmm15\n\tfninit" ::"r"(
				 other)
			 : "xmm5", "xmm15");
#else
	__asm__ volatile("fmov d5, %0\n\tfmov d31, %0" ::"r"(other)
			 : "v5", "v31");
#endif
}

static void on_kept(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	clobber();
	count++;
	CHECK(!mprotect(info->si_addr, PAGE, PROT_READ | PROT_WRITE));
}

/* Vector registers are as before a fault, whatever its handler does with them. */
void do_kept(void)
{
	const uint64_t a = 0x123456789abcdef0, b = 0xfedcba9876543210;
	uint64_t found[2] = { 0, 0 };

	pages = map_pages();
	handle(SIGSEGV, on_kept, 0);
#ifdef REG_RIP
	__asm__ volatile("movq %2, %%xmm5\n\t"
			 "movq %3, %%xmm15\n\t"
			 "movb $1, (%4)\n\t"
			 "movq %%xmm5, %0\n\t"
			 "movq %%xmm15, %1"
			 : "=&r"(found[0]), "=&r"(found[1])
			 : "r"(a), "r"(b), "r"(pages)
			 : "xmm5", "xmm15", "memory");
#else
	__asm__ volatile("fmov d5, %2\n\t"
			 "fmov d31, %3\n\t"
			 "strb wzr, [%4]\n\t"
			 "fmov %0, d5\n\t"
			 "fmov %1, d31"
			 : "=&r"(found[0]), "=&r"(found[1])
			 : "r"(a), "r"(b), "r"(pages)
			 : "v5", "v31", "memory");
#endif
	CHECK(count == 1 && found[0] == a && found[1] == b);
}

static void *probed;

static void on_probe(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	CHECK(signal == SIGILL && info->si_signo == SIGILL);
	probed = info->si_addr;
	count++;
#ifdef REG_RIP
	uc->uc_mcontext.gregs[REG_RIP] += 4;
#else
	uc->uc_mcontext.pc += 4;
#endif
}

#ifdef REG_RIP
/* 4 bytes each */
#define PROBE "ud2\n\tnop\n\tnop"
#else
#define PROBE ".inst 0x04bf5020"     /* rdvl x0, #1: of SVE */
#define PROBE_SME ".inst 0xd503477f" /* smstart */
#endif

/* Libraries try instructions and look whether SIGILL comes. */
void do_probe(void)
{
	handle(SIGILL, on_probe, 0);
#ifdef REG_RIP
	__asm__ volatile(PROBE);
	CHECK(count == 1 && probed);
#else
	__asm__ volatile(PROBE ::: "x0");
	CHECK(count == 1 && probed);
	probed = NULL;
	__asm__ volatile(PROBE_SME);
	CHECK(count == 2 && probed);
	CHECK(!(getauxval(AT_HWCAP) & 1ul << 22));  /* HWCAP_SVE */
	CHECK(!(getauxval(AT_HWCAP2) & 1ul << 23)); /* HWCAP2_SME */
#endif
}

static char *stack_top;
static size_t stack_used;

static void on_small(int signal, siginfo_t *info, void *context)
{
	char here;

	(void)signal;
	(void)info;
	(void)context;
	count++;
	stack_used = (size_t)(stack_top - &here);
}

/* The frame of a signal takes what AT_MINSIGSTKSZ says, and not more. */
void do_signal_stack(void)
{
	const size_t least = getauxval(AT_MINSIGSTKSZ), size = least + 1024;
	char *start = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const stack_t stack = { .ss_sp = start, .ss_size = size };

	CHECK(least > 1000 && least < 15 * PAGE && start != MAP_FAILED);
	CHECK(!sigaltstack(&stack, NULL));
	stack_top = start + size;
	handle(SIGUSR1, on_small, SA_ONSTACK);
	CHECK(!raise(SIGUSR1) && count == 1 && stack_used < size);
	/* one that does not fit ends the program, and writes nowhere else */
	CHECK(stack_used > 400);
#ifdef _SC_MINSIGSTKSZ
	CHECK(sysconf(_SC_MINSIGSTKSZ) >= (long)least);
#endif
}
