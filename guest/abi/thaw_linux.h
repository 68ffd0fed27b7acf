/*
 * thaw_linux.h - how a Linux program and the host hand registers over.
 *
 * A Linux program knows nothing of thaw_abi.h. It has the same low pages as any
 * guest, without the mailbox and what belongs to it, and one more: the frame. The
 * host writes all registers of the program there. The entry stub, which has reset
 * everything by then, jumps to thaw_stub_resume, which loads them. So a program
 * begins, and goes on from its snapshot, without a system call of the host's.
 */
#ifndef THAW_LINUX_H
#define THAW_LINUX_H

#include "thaw_abi.h"

/*
 * The frame, user read-only. XRSTOR may look at as much behind its operand as its
 * largest area takes, of which a CPU with AMX has 11 KiB: so it has pages to spare, and
 * so the entry stub is followed by pages, too.
 */
#define THAW_GPA_FRAME 0x30000
#define THAW_FRAME_SIZE 0x3000
/* The stubs' stack, user read-write, where other guests have the mailbox. */
#define THAW_GPA_SCRATCH THAW_GPA_MAILBOX
#define THAW_SCRATCH_SIZE THAW_MAILBOX_SIZE

/* Where system calls ring: a port on x86_64, and on arm64 what only EL1 reaches. */
#define THAW_CALL_PORT 0x1b
#define THAW_CALL_GPA 0x800001200

/* Offsets the assembly needs, from THAW_GPA_FRAME; asserted below. */
#ifdef __aarch64__
#define THAW_FRAME_GENERAL 544
#define THAW_FRAME_FPSR 512
#define THAW_FRAME_FPCR 520
#define THAW_FRAME_THREAD 528
/* From THAW_FRAME_GENERAL, and so in a struct thaw_registers. */
#define THAW_REGISTERS_SP 248
#define THAW_REGISTERS_PC 256
#define THAW_REGISTERS_PSTATE 264
#else
#define THAW_FRAME_GENERAL 4096
#define THAW_FRAME_PC 4224
#define THAW_FRAME_FLAGS 4232
#define THAW_FRAME_THREAD 4240
#define THAW_FRAME_THREAD_MORE 4248
#endif

#ifndef __ASSEMBLER__

#ifdef __aarch64__

/*
 * The general registers of a program. At a system call the vectors put them into
 * struct thaw_shim.
 */
struct thaw_registers {
	uint64_t general[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate;
};

/* All registers of a program. */
struct thaw_frame {
	uint64_t vector[32][2];
	uint64_t fpsr;
	uint64_t fpcr;
	uint64_t thread; /* TPIDR_EL0 */
	uint64_t reserved;
	union {
		struct thaw_registers registers;
		uint64_t general[31];
	};
};

THAW_ASSERT(offsetof(struct thaw_frame, general) == THAW_FRAME_GENERAL, "ABI");
THAW_ASSERT(offsetof(struct thaw_frame, fpsr) == THAW_FRAME_FPSR, "ABI");
THAW_ASSERT(offsetof(struct thaw_frame, fpcr) == THAW_FRAME_FPCR, "ABI");
THAW_ASSERT(offsetof(struct thaw_frame, thread) == THAW_FRAME_THREAD, "ABI");
THAW_ASSERT(offsetof(struct thaw_registers, sp) == THAW_REGISTERS_SP, "ABI");
THAW_ASSERT(offsetof(struct thaw_registers, pc) == THAW_REGISTERS_PC, "ABI");
THAW_ASSERT(offsetof(struct thaw_registers, pstate) == THAW_REGISTERS_PSTATE,
	    "ABI");

#else

/*
 * All registers of a program. general[] is indexed as instructions are
 * encoded (RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15), vector[] is what
 * XRSTOR takes in its standard form, thread is the base of FS and thread_more that
 * of GS.
 */
struct thaw_frame {
	uint8_t vector[4096];
	uint64_t general[16];
	uint64_t pc;
	uint64_t flags;
	uint64_t thread;
	uint64_t thread_more;
};

THAW_ASSERT(offsetof(struct thaw_frame, general) == THAW_FRAME_GENERAL, "ABI");
THAW_ASSERT(offsetof(struct thaw_frame, pc) == THAW_FRAME_PC, "ABI");
THAW_ASSERT(offsetof(struct thaw_frame, flags) == THAW_FRAME_FLAGS, "ABI");
THAW_ASSERT(offsetof(struct thaw_frame, thread) == THAW_FRAME_THREAD, "ABI");
THAW_ASSERT(offsetof(struct thaw_frame, thread_more) == THAW_FRAME_THREAD_MORE,
	    "ABI");

#endif

THAW_ASSERT(sizeof(struct thaw_frame) <= THAW_FRAME_SIZE, "its pages");

#endif /* __ASSEMBLER__ */
#endif
