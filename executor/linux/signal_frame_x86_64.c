/*
 * signal_frame_x86_64.c - see signal_frame.h.
 *
 *	sp   ┌────────────────────────────┐ 8 below a multiple of 16
 *	     │ where the handler returns  │
 *	     │ ucontext, siginfo          │
 *	     ├────────────────────────────┤ a multiple of 64
 *	     │ XSAVE area, its end mark   │
 *	     ├────────────────────────────┤
 *	     │ red zone                   │ not on the alternate stack
 *	     └────────────────────────────┘ the program's stack pointer
 *
 * References: psABI for AMD64, 3.2.2 (red zone); Intel SDM volume 1, 13.4 (the XSAVE
 * area), volume 3, 6.15 (exceptions); the kernel's asm/sigcontext.h, asm/ucontext.h.
 */
#include "executor/linux/signal_frame.h"

#include <cpuid.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "guest/abi/thaw_abi.h"

#define SA_RESTORER_FLAG 0x04000000u
#define RED_ZONE 128
#define STACK_MIN 2048

/* User mode may set these; all others are fixed. */
#define FLAGS_USER 0x240cd5ull
#define FLAGS_FIXED 0x2ull
/* What a handler begins without. */
#define FLAG_TRAP 0x100ull
#define FLAG_DIRECTION 0x400ull
#define FLAG_RESUME 0x10000ull
#define USER_END (1ull << 47)

/* uc_flags: there is an XSAVE area; ss is saved, and is to be restored as it is. */
#define UC_FP_XSTATE 0x1
#define UC_SIGCONTEXT_SS 0x2
#define UC_STRICT_RESTORE_SS 0x4

#define MAGIC_1 0x46505853u
#define MAGIC_2 0x46505845u

/* Places in the XSAVE area. */
#define LEGACY_SIZE 512
#define XSAVE_MXCSR 24
#define XSAVE_SOFTWARE 464
#define XSAVE_BV 512
#define XSAVE_COMPACTED 520
#define XSAVE_HEADER_END 576
#define FEATURES_LEGACY 0x3ull
#define FCW_INITIAL 0x37f
#define MXCSR_INITIAL 0x1f80
#define MXCSR_BITS 0xffffu
#define ALIGNMENT 64

#define VECTOR_DE 0
#define VECTOR_DB 1
#define VECTOR_UD 6
#define VECTOR_NP 11
#define VECTOR_SS 12
#define VECTOR_PF 14
#define VECTOR_MF 16
#define VECTOR_AC 17
#define VECTOR_XM 19
#define VECTOR_BP 3

/* Places in thaw_frame.general. */
enum {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	R8
};

struct context {
	uint64_t r8_to_r15[8];
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, flags;
	uint16_t cs, gs, fs, ss;
	uint64_t error, trap, old_mask, cr2;
	uint64_t vector; /* the address of the XSAVE area; 0: none */
	uint64_t reserved[8];
};

struct frame {
	uint64_t restorer;
	struct {
		uint64_t flags, link;
		struct signal_stack stack;
		struct context context;
		uint64_t mask;
	} uc;
	siginfo_t info;
};

_Static_assert(sizeof(struct context) == 256, "the kernel's");
_Static_assert(sizeof(struct frame) == 440, "the kernel's");

/* What software may put into the XSAVE area. */
struct software {
	uint32_t magic;
	uint32_t extended_size; /* with the mark at its end */
	uint64_t features;
	uint32_t size;
	uint32_t padding[7];
};

_Static_assert(XSAVE_SOFTWARE + sizeof(struct software) == LEGACY_SIZE,
	       "the last of its bytes");

#define VECTOR_MAX sizeof(((struct thaw_frame *)0)->vector)
#define MARK_SIZE sizeof(uint32_t)
#define FRAME_MAX \
	(sizeof(struct frame) + VECTOR_MAX + MARK_SIZE + ALIGNMENT + 16)

static uint32_t ask_vector_size(uint64_t features)
{
	uint32_t size = XSAVE_HEADER_END;

	for (unsigned i = 2; i < 64; i++) {
		unsigned length, offset, c, d;

		if (!(features >> i & 1) ||
		    !__get_cpuid_count(0xd, i, &length, &offset, &c, &d))
			continue;
		if (offset + length <= VECTOR_MAX && offset + length > size)
			size = offset + length;
	}
	return size;
}

/*
 * The size of the XSAVE area with these features. The last answer is kept, since CPUID
 * leaves a host that is a vm itself, and most vms of a host have the same features.
 */
static uint32_t vector_size(uint64_t features)
{
	static _Atomic uint64_t
		known; /* features, and the size in the low half */
	uint64_t last = atomic_load_explicit(&known, memory_order_relaxed);

	if (!last || last >> 32 != features) {
		last = features << 32 | ask_vector_size(features);
		atomic_store_explicit(&known, last, memory_order_relaxed);
	}
	return (uint32_t)last;
}

uint64_t signal_frame_sp(const struct thaw_frame *registers)
{
	return registers->general[RSP];
}

static void save_context(const struct thaw_frame *registers,
			 const struct signal_trap *trap, struct context *to)
{
	const uint64_t *general = registers->general;

	memset(to, 0, sizeof(*to));
	memcpy(to->r8_to_r15, general + R8, sizeof(to->r8_to_r15));
	to->rdi = general[RDI];
	to->rsi = general[RSI];
	to->rbp = general[RBP];
	to->rbx = general[RBX];
	to->rdx = general[RDX];
	to->rax = general[RAX];
	to->rcx = general[RCX];
	to->rsp = general[RSP];
	to->rip = registers->pc;
	to->flags = registers->flags;
	to->cs = THAW_X86_USER_CS;
	to->ss = THAW_X86_USER_DS;
	to->error = trap->code;
	to->trap = trap->number;
	to->cr2 = trap->address;
}

static void load_context(const struct context *from,
			 struct thaw_frame *registers)
{
	uint64_t *general = registers->general;

	memcpy(general + R8, from->r8_to_r15, sizeof(from->r8_to_r15));
	general[RDI] = from->rdi;
	general[RSI] = from->rsi;
	general[RBP] = from->rbp;
	general[RBX] = from->rbx;
	general[RDX] = from->rdx;
	general[RAX] = from->rax;
	general[RCX] = from->rcx;
	general[RSP] = from->rsp;
	registers->pc = from->rip;
	registers->flags = (from->flags & FLAGS_USER) | FLAGS_FIXED;
}

/* The XSAVE area, with what tells of its size, and the mark behind it. */
static void save_vector(const struct thaw_frame *registers, uint64_t features,
			uint32_t size, uint8_t *to)
{
	const struct software software = {
		.magic = MAGIC_1,
		.extended_size = size + MARK_SIZE,
		.features = features,
		.size = size,
	};
	const uint32_t mark = MAGIC_2;

	memcpy(to, registers->vector, size);
	memcpy(to + XSAVE_SOFTWARE, &software, sizeof(software));
	memcpy(to + size, &mark, sizeof(mark));
}

/* All extended state in its initial values. */
static void reset_vector(struct thaw_frame *registers)
{
	const uint16_t fcw = FCW_INITIAL;
	const uint32_t mxcsr = MXCSR_INITIAL;

	memset(registers->vector, 0, sizeof(registers->vector));
	memcpy(registers->vector, &fcw, sizeof(fcw));
	memcpy(registers->vector + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

static void enter_handler(const struct signal_delivery *signal, uint64_t at,
			  struct thaw_frame *registers)
{
	uint64_t *general = registers->general;

	general[RDI] = (uint64_t)signal->info->si_signo;
	general[RSI] = at + offsetof(struct frame, info);
	general[RDX] = at + offsetof(struct frame, uc);
	general[RAX] = 0;
	general[RSP] = at;
	registers->pc = signal->action->handler;
	registers->flags &= ~(FLAG_DIRECTION | FLAG_RESUME | FLAG_TRAP);
	reset_vector(registers);
}

static bool is_within(const struct signal_stack *stack, uint64_t at)
{
	return at > stack->start && at - stack->start <= stack->size;
}

int signal_frame_push(struct space *space, const struct signal_delivery *signal,
		      struct thaw_frame *registers)
{
	const uint32_t size = vector_size(signal->features);
	const struct signal_stack *stack = &signal->stack;
	uint64_t top = registers->general[RSP] - RED_ZONE, vector, at;
	uint8_t bytes[FRAME_MAX];
	struct frame frame = {
		.restorer = signal->action->restorer,
		.uc = { .flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS |
				 UC_STRICT_RESTORE_SS,
			.stack = *stack,
			.mask = signal->mask },
	};

	if (signal->is_entering)
		top = stack->start + stack->size;
	vector = (top - size - MARK_SIZE) & ~(uint64_t)(ALIGNMENT - 1);
	at = ((vector - sizeof(frame)) & ~UINT64_C(15)) - 8;
	if (signal->is_on_stack && !is_within(stack, at))
		return -EFAULT;
	if (!(signal->action->flags & SA_RESTORER_FLAG))
		return -EFAULT;
	save_context(registers, &signal->trap, &frame.uc.context);
	frame.uc.context.old_mask = signal->mask;
	frame.uc.context.vector = vector;
	frame.info = *signal->info;
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, &frame, sizeof(frame));
	save_vector(registers, signal->features, size, bytes + (vector - at));
	if (space_write(space, at, bytes, vector - at + size + MARK_SIZE))
		return -EFAULT;
	enter_handler(signal, at, registers);
	return 0;
}

/* Whether the area at @from is more than the legacy part, and how large. */
static uint32_t whole_size(const struct space *space, uint64_t from,
			   const uint8_t *legacy, uint64_t features)
{
	struct software software;
	uint32_t mark;

	memcpy(&software, legacy + XSAVE_SOFTWARE, sizeof(software));
	if (software.magic != MAGIC_1 || software.size < XSAVE_HEADER_END ||
	    software.size > vector_size(features) ||
	    software.size > software.extended_size)
		return 0;
	if (space_read(space, from + software.size, &mark, sizeof(mark)) ||
	    mark != MAGIC_2)
		return 0;
	return software.size;
}

/* What XRSTOR would refuse. */
static bool is_header_bad(const uint8_t *vector, uint64_t features)
{
	static const uint8_t zeros[XSAVE_HEADER_END - XSAVE_COMPACTED];
	uint64_t present;

	memcpy(&present, vector + XSAVE_BV, sizeof(present));
	return (present & ~features) ||
	       memcmp(vector + XSAVE_COMPACTED, zeros, sizeof(zeros)) != 0;
}

static int load_vector(const struct space *space, uint64_t from,
		       uint64_t features, struct thaw_frame *registers)
{
	uint8_t *vector = registers->vector;
	const uint64_t legacy = FEATURES_LEGACY;
	uint32_t mxcsr, size;

	reset_vector(registers);
	if (!from)
		return 0;
	if (from % ALIGNMENT || space_read(space, from, vector, LEGACY_SIZE))
		return -EFAULT;
	size = whole_size(space, from, vector, features);
	if (size && (space_read(space, from + LEGACY_SIZE, vector + LEGACY_SIZE,
				size - LEGACY_SIZE) ||
		     is_header_bad(vector, features)))
		return -EFAULT;
	if (!size)
		memcpy(vector + XSAVE_BV, &legacy, sizeof(legacy));
	memset(vector + XSAVE_SOFTWARE, 0, LEGACY_SIZE - XSAVE_SOFTWARE);
	memcpy(&mxcsr, vector + XSAVE_MXCSR, sizeof(mxcsr));
	return mxcsr & ~MXCSR_BITS ? -EFAULT : 0;
}

int signal_frame_pop(const struct space *space, uint64_t features,
		     struct thaw_frame *registers,
		     struct signal_return *ret_return)
{
	/* the handler's return has taken the restorer's address off the stack */
	const uint64_t at = registers->general[RSP] - sizeof(uint64_t);
	struct thaw_frame loaded = *registers;
	struct frame frame;
	const struct context *context = &frame.uc.context;

	if (space_read(space, at, &frame, offsetof(struct frame, info)))
		return -EFAULT;
	if ((context->cs | 3) != THAW_X86_USER_CS || context->rip >= USER_END)
		return -EFAULT;
	if ((frame.uc.flags & UC_STRICT_RESTORE_SS) &&
	    (context->ss | 3) != THAW_X86_USER_DS)
		return -EFAULT;
	if (load_vector(space, context->vector, features, &loaded))
		return -EFAULT;
	load_context(context, &loaded);
	*registers = loaded;
	*ret_return = (struct signal_return){ frame.uc.mask, frame.uc.stack };
	return 0;
}

void signal_frame_of_bad(const struct space *space,
			 const struct thaw_frame *registers,
			 siginfo_t *ret_info)
{
	(void)space;
	(void)registers;
	memset(ret_info, 0, sizeof(*ret_info));
	ret_info->si_signo = SIGSEGV;
	ret_info->si_code = SI_KERNEL;
}

void signal_frame_repeat(struct thaw_frame *registers, uint64_t number,
			 uint64_t first)
{
	(void)first; /* SYSCALL changes no argument */
	registers->general[RAX] = number;
	registers->pc -= 2;
}

void signal_frame_set_arguments(struct thaw_frame *registers,
				const uint64_t arguments[2])
{
	registers->general[RDI] = arguments[0];
	registers->general[RSI] = arguments[1];
}

/* si_code of a floating-point error, by the flags that are up and not masked. */
static int float_code(unsigned flags)
{
	if (flags & 0x1)
		return FPE_FLTINV;
	if (flags & 0x4)
		return FPE_FLTDIV;
	if (flags & 0x8)
		return FPE_FLTOVF;
	if (flags & 0x12)
		return FPE_FLTUND;
	if (flags & 0x20)
		return FPE_FLTRES;
	return 0;
}

static unsigned float_flags(const struct thaw_frame *registers, bool is_simd)
{
	uint16_t fcw, fsw;
	uint32_t mxcsr;

	memcpy(&fcw, registers->vector, sizeof(fcw));
	memcpy(&fsw, registers->vector + sizeof(fcw), sizeof(fsw));
	memcpy(&mxcsr, registers->vector + XSAVE_MXCSR, sizeof(mxcsr));
	return is_simd ? mxcsr & ~(mxcsr >> 7) : (unsigned)(fsw & ~fcw);
}

void signal_frame_of_fault(const struct vm_fault *fault,
			   const struct thaw_frame *registers,
			   siginfo_t *ret_info, struct signal_trap *ret_trap)
{
	static const struct {
		int number, code;
	} signals[] = {
		[VECTOR_DE] = { SIGFPE, FPE_INTDIV },
		[VECTOR_DB] = { SIGTRAP, TRAP_TRACE },
		[VECTOR_BP] = { SIGTRAP, SI_KERNEL },
		[VECTOR_UD] = { SIGILL, ILL_ILLOPN },
		[VECTOR_NP] = { SIGBUS, SI_KERNEL },
		[VECTOR_SS] = { SIGBUS, SI_KERNEL },
		[VECTOR_PF] = { SIGSEGV, SEGV_MAPERR },
		[VECTOR_MF] = { SIGFPE, 0 },
		[VECTOR_AC] = { SIGBUS, BUS_ADRALN },
		[VECTOR_XM] = { SIGFPE, 0 },
	};
	const uint64_t vector = fault->cause;

	memset(ret_info, 0, sizeof(*ret_info));
	ret_info->si_signo = SIGSEGV;
	ret_info->si_code = SI_KERNEL;
	if (vector < sizeof(signals) / sizeof(*signals) &&
	    signals[vector].number) {
		ret_info->si_signo = signals[vector].number;
		ret_info->si_code = signals[vector].code;
	}
	if (vector == VECTOR_MF || vector == VECTOR_XM)
		ret_info->si_code =
			float_code(float_flags(registers, vector == VECTOR_XM));
	if (vector == VECTOR_PF)
		ret_info->si_addr = (void *)(uintptr_t)fault->address;
	else if (ret_info->si_code != SI_KERNEL && vector != VECTOR_AC)
		ret_info->si_addr = (void *)(uintptr_t)registers->pc;
	*ret_trap = (struct signal_trap){ vector, fault->code, fault->address };
}

uint64_t signal_frame_stack_min(void)
{
	return STACK_MIN;
}

/* Of what the host has, a guest may have these: see vm/x86_64/vcpu.c. */
uint64_t signal_frame_size(void)
{
	return sizeof(struct frame) + vector_size(0xe7) + MARK_SIZE +
	       ALIGNMENT + 16 + RED_ZONE;
}
