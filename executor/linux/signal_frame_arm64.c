/*
 * signal_frame_arm64.c - see signal_frame.h.
 *
 *	sp   ┌────────────────────────────┐
 *	     │ siginfo, ucontext          │
 *	     │ records, the last of which │
 *	     │ is empty                   │
 *	     ├────────────────────────────┤
 *	     │ x29, x30: a frame record   │
 *	     └────────────────────────────┘ the program's stack pointer
 *
 * References: AAPCS64, 6.4 (frame records); Arm ARM (DDI 0487), ESR_EL1; the kernel's
 * asm/sigcontext.h, asm/ucontext.h.
 */
#include "executor/linux/signal_frame.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "vm/calls.h"

#define SA_RESTORER_FLAG 0x04000000u
#define STACK_MIN 5120
#define INSTRUCTION_SIZE 4

/* EL0t with SSBS, and what a program may change. */
#define PSTATE_INITIAL 0x13c0ull
#define PSTATE_FLAGS 0xf0000000ull
#define PSTATE_MODE 0x1full /* EL0t of AArch64 is 0 */

#define MAGIC_VECTOR 0x46508001u
#define MAGIC_ESR 0x45535201u
#define RECORDS_SIZE 4096

#define ESR_CLASS(esr) ((unsigned)((esr) >> 26) & 0x3f)
#define ESR_STATUS(esr) ((unsigned)(esr)&0x3f)
#define STATUS_KIND(status) ((status) & ~3u)
#define STATUS_ADDRESS_SIZE 0x00
#define STATUS_TRANSLATION 0x04
#define STATUS_ACCESS_FLAG 0x08
#define STATUS_PERMISSION 0x0c
#define STATUS_ALIGNMENT 0x21
#define CLASS_INSTRUCTION_ABORT 0x20
#define CLASS_PC_ALIGNMENT 0x22
#define CLASS_DATA_ABORT 0x24
#define CLASS_SP_ALIGNMENT 0x26
#define CLASS_FLOAT 0x2c
#define CLASS_BREAKPOINT 0x3c

struct record {
	uint32_t magic, size;
};

struct vector_record {
	struct record head;
	uint32_t fpsr, fpcr;
	uint64_t vector[32][2];
};

struct esr_record {
	struct record head;
	uint64_t esr;
};

struct context {
	uint64_t fault_address;
	uint64_t general[31];
	uint64_t sp, pc, pstate;
	uint64_t padding;
	uint8_t records[RECORDS_SIZE];
};

struct frame {
	siginfo_t info;
	struct {
		uint64_t flags, link;
		struct signal_stack stack;
		uint64_t mask;
		uint8_t unused[128];
		struct context context;
	} uc;
	uint64_t next[2]; /* the frame record */
};

#define FRAME_SIZE offsetof(struct frame, next)

_Static_assert(offsetof(struct frame, uc.context) == 128 + 176, "the kernel's");
_Static_assert(offsetof(struct context, records) == 288, "the kernel's");
_Static_assert(FRAME_SIZE == 4688 && FRAME_SIZE % 16 == 0, "the kernel's");
_Static_assert(sizeof(struct vector_record) == 528, "the kernel's");

uint64_t signal_frame_sp(const struct thaw_frame *registers)
{
	return registers->registers.sp;
}

static void save_records(const struct thaw_frame *registers, uint64_t esr,
			 uint8_t *to)
{
	struct vector_record vector = {
		.head = { MAGIC_VECTOR, sizeof(vector) },
		.fpsr = (uint32_t)registers->fpsr,
		.fpcr = (uint32_t)registers->fpcr,
	};
	const struct esr_record more = {
		.head = { MAGIC_ESR, sizeof(more) },
		.esr = esr,
	};

	memcpy(vector.vector, registers->vector, sizeof(vector.vector));
	memcpy(to, &vector, sizeof(vector));
	/* the next one is empty, which ends them */
	if (esr)
		memcpy(to + sizeof(vector), &more, sizeof(more));
}

static void save_context(const struct thaw_frame *registers,
			 const struct signal_trap *trap, struct context *to)
{
	const struct thaw_registers *from = &registers->registers;

	to->fault_address = trap->address;
	memcpy(to->general, from->general, sizeof(to->general));
	to->sp = from->sp;
	to->pc = from->pc;
	to->pstate = from->pstate;
	save_records(registers, trap->code, to->records);
}

static void enter_handler(const struct signal_delivery *signal, uint64_t at,
			  struct thaw_frame *registers)
{
	struct thaw_registers *to = &registers->registers;

	to->general[0] = (uint64_t)signal->info->si_signo;
	if (signal->action->flags & SA_SIGINFO) {
		to->general[1] = at + offsetof(struct frame, info);
		to->general[2] = at + offsetof(struct frame, uc);
	}
	to->general[29] = at + offsetof(struct frame, next);
	to->general[30] = signal->action->flags & SA_RESTORER_FLAG ?
				  signal->action->restorer :
				  vm_signal_return_address();
	to->sp = at;
	to->pc = signal->action->handler;
}

int signal_frame_push(struct space *space, const struct signal_delivery *signal,
		      struct thaw_frame *registers)
{
	const struct thaw_registers *from = &registers->registers;
	const uint64_t top = signal->is_entering ?
				     signal->stack.start + signal->stack.size :
				     from->sp;
	const uint64_t at =
		((top - sizeof(((struct frame *)0)->next)) & ~UINT64_C(15)) -
		FRAME_SIZE;
	struct frame frame;

	memset(&frame, 0, sizeof(frame));
	frame.info = *signal->info;
	frame.uc.stack = signal->stack;
	frame.uc.mask = signal->mask;
	save_context(registers, &signal->trap, &frame.uc.context);
	frame.next[0] = from->general[29];
	frame.next[1] = from->general[30];
	if (space_write(space, at, &frame, sizeof(frame)))
		return -EFAULT;
	enter_handler(signal, at, registers);
	return 0;
}

/* Finds the record of the vector registers. -EFAULT: these are no records. */
static int load_records(const uint8_t *records, struct thaw_frame *registers)
{
	struct vector_record vector;
	bool is_found = false;
	size_t at = 0;

	for (;;) {
		struct record head;

		if (at > RECORDS_SIZE - sizeof(head))
			return -EFAULT;
		memcpy(&head, records + at, sizeof(head));
		if (!head.magic && !head.size)
			break;
		if (head.size < sizeof(head) || head.size % 16 ||
		    head.size > RECORDS_SIZE - at)
			return -EFAULT;
		if (head.magic == MAGIC_VECTOR) {
			if (is_found || head.size != sizeof(vector))
				return -EFAULT;
			memcpy(&vector, records + at, sizeof(vector));
			is_found = true;
		} else if (head.magic != MAGIC_ESR) {
			return -EFAULT;
		}
		at += head.size;
	}
	if (!is_found)
		return -EFAULT;
	memcpy(registers->vector, vector.vector, sizeof(vector.vector));
	registers->fpsr = vector.fpsr;
	registers->fpcr = vector.fpcr;
	return 0;
}

int signal_frame_pop(const struct space *space, uint64_t features,
		     struct thaw_frame *registers,
		     struct signal_return *ret_return)
{
	struct thaw_frame loaded = *registers;
	struct thaw_registers *to = &loaded.registers;
	const uint64_t at = to->sp;
	const struct context *context;
	struct frame frame;

	(void)features;
	if (at % 16 || space_read(space, at, &frame, FRAME_SIZE))
		return -EFAULT;
	context = &frame.uc.context;
	if (context->pstate & PSTATE_MODE)
		return -EFAULT;
	if (load_records(context->records, &loaded))
		return -EFAULT;
	memcpy(to->general, context->general, sizeof(to->general));
	to->sp = context->sp;
	to->pc = context->pc;
	to->pstate = (context->pstate & PSTATE_FLAGS) | PSTATE_INITIAL;
	*registers = loaded;
	*ret_return = (struct signal_return){ frame.uc.mask, frame.uc.stack };
	return 0;
}

/* The stack pointer is to blame. */
void signal_frame_of_bad(const struct space *space,
			 const struct thaw_frame *registers,
			 siginfo_t *ret_info)
{
	const uint64_t sp = registers->registers.sp;

	memset(ret_info, 0, sizeof(*ret_info));
	ret_info->si_signo = SIGSEGV;
	ret_info->si_code = areas_next(&space->areas, sp) ? SEGV_ACCERR :
							    SEGV_MAPERR;
	ret_info->si_addr = (void *)(uintptr_t)sp;
}

void signal_frame_repeat(struct thaw_frame *registers, uint64_t number,
			 uint64_t first)
{
	(void)number; /* it is in x8 still */
	registers->registers.general[0] = first;
	registers->registers.pc -= INSTRUCTION_SIZE;
}

void signal_frame_set_arguments(struct thaw_frame *registers,
				const uint64_t arguments[2])
{
	memcpy(registers->registers.general, arguments, 2 * sizeof(*arguments));
}

static int float_code(uint64_t esr)
{
	if (!(esr & 1u << 23)) /* which of them is not known */
		return FPE_FLTUNK;
	if (esr & 0x1)
		return FPE_FLTINV;
	if (esr & 0x2)
		return FPE_FLTDIV;
	if (esr & 0x4)
		return FPE_FLTOVF;
	if (esr & 0x8)
		return FPE_FLTUND;
	return esr & 0x10 ? FPE_FLTRES : FPE_FLTUNK;
}

static void take_abort(unsigned status, siginfo_t *info)
{
	switch (STATUS_KIND(status)) {
	case STATUS_ADDRESS_SIZE:
	case STATUS_TRANSLATION:
	case STATUS_ACCESS_FLAG:
	case STATUS_PERMISSION:
		info->si_signo = SIGSEGV;
		info->si_code = SEGV_MAPERR;
		return;
	}
	info->si_signo = SIGBUS;
	info->si_code = status == STATUS_ALIGNMENT ? BUS_ADRALN : BUS_OBJERR;
}

void signal_frame_of_fault(const struct vm_fault *fault,
			   const struct thaw_frame *registers,
			   siginfo_t *ret_info, struct signal_trap *ret_trap)
{
	const uint64_t esr = fault->cause;
	uint64_t address = registers->registers.pc;

	memset(ret_info, 0, sizeof(*ret_info));
	ret_info->si_signo = SIGILL;
	ret_info->si_code = ILL_ILLOPC;
	switch (ESR_CLASS(esr)) {
	case CLASS_INSTRUCTION_ABORT:
	case CLASS_DATA_ABORT:
		take_abort(ESR_STATUS(esr), ret_info);
		address = fault->address;
		break;
	case CLASS_PC_ALIGNMENT:
	case CLASS_SP_ALIGNMENT:
		ret_info->si_signo = SIGBUS;
		ret_info->si_code = BUS_ADRALN;
		address = ESR_CLASS(esr) == CLASS_SP_ALIGNMENT ?
				  registers->registers.sp :
				  fault->address;
		break;
	case CLASS_FLOAT:
		ret_info->si_signo = SIGFPE;
		ret_info->si_code = float_code(esr);
		break;
	case CLASS_BREAKPOINT:
		ret_info->si_signo = SIGTRAP;
		ret_info->si_code = TRAP_BRKPT;
		break;
	}
	ret_info->si_addr = (void *)(uintptr_t)address;
	*ret_trap = (struct signal_trap){ 0, esr, fault->address };
}

uint64_t signal_frame_stack_min(void)
{
	return STACK_MIN;
}

uint64_t signal_frame_size(void)
{
	return sizeof(struct frame) + 16;
}
