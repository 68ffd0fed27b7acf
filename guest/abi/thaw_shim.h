/*
 * thaw_shim.h - how a Linux program's shim and the host share its state.
 *
 * The shim is code of ours in the program's own address space, in user mode. System calls
 * arrive there first. It answers those that need nothing of the host: reading the rest of
 * the request, and files that are in the snapshot; writing, clocks, memory of its own,
 * identity, signal masks. All others it passes on by an exit.
 *
 * The program can write what the shim can. So the host believes none of it: at each exit it
 * takes what the shim has noted, as if the program had made those calls, and checks it as
 * those calls do. What the host alone knows it gives to the shim anew after each of its
 * calls. The shim works on snapshots only; before, all calls exit.
 */
#ifndef THAW_SHIM_H
#define THAW_SHIM_H

#include "thaw_linux.h"

/*
 *	THAW_GPA_VDSO	user, read-execute	the shim, in the form of a vDSO
 *	THAW_GPA_SITES	user, read-execute	where a program's code jumps instead of
 *						making system calls
 *	THAW_GPA_SHIM	user, read-write	struct thaw_shim, then the shim's stack
 *	THAW_GPA_GIVEN	user, read-only		struct thaw_given
 *	THAW_GPA_ACTIONS user, read-write	handlers of signals
 *	THAW_GPA_OUTPUT	user, read-write	what is written to stdout
 *	THAW_GPA_ERRORS	user, read-write	what is written to stderr
 */
#define THAW_GPA_VDSO 0x40000
#define THAW_VDSO_MAX 0x4000
#define THAW_GPA_SITES 0x44000
#define THAW_SITES_SIZE 0x4000
#define THAW_SITE_SIZE 32
#define THAW_GPA_SHIM 0x48000
#define THAW_GPA_GIVEN 0x49000
#define THAW_GPA_ACTIONS 0x4a000
#define THAW_GPA_OUTPUT 0x50000
#define THAW_OUTPUT_SIZE 0x8000
#define THAW_GPA_ERRORS 0x58000
#define THAW_ERRORS_SIZE 0x2000

/*
 * In the vDSO: where calls arrive; where they do by a jump, on x86_64; and where the
 * shim's own SVCs return to, on arm64.
 */
#define THAW_VDSO_ENTRY 0x1000
#define THAW_VDSO_JUMP (THAW_VDSO_ENTRY + 16)
#define THAW_VDSO_PASS_ON (THAW_VDSO_ENTRY + 12)
#define THAW_VDSO_RETURN (THAW_VDSO_ENTRY + 20)

/* Addresses from here on have memory only as the host gives it: the shim leaves them alone. */
#define THAW_RESERVE_START 0x1000000000

#define THAW_SHIM_STACK_TOP (THAW_GPA_SHIM + THAW_PAGE_SIZE)

/* Offsets the assembly needs, from THAW_GPA_SHIM; asserted below. */
#define THAW_SHIM_ACTIVE 0
#ifdef __aarch64__
#define THAW_SHIM_REGISTERS 16
#else
#define THAW_SHIM_NUMBER 16
#define THAW_SHIM_ARGS 24
#define THAW_SHIM_RESULT 72
#define THAW_SHIM_PC 80
#define THAW_SHIM_FLAGS 88
#define THAW_SHIM_SP 96
#endif

#ifndef __ASSEMBLER__

/* Signals, and their actions as the kernel's interface has them. */
#define THAW_SIGNALS 64
/* Flags that are kept: those of sigaction(2), and SA_RESTORER. */
#define THAW_ACTION_FLAGS UINT64_C(0xdc000007)
/* SIGKILL and SIGSTOP. */
#define THAW_SIGNALS_NEVER (UINT64_C(1) << (9 - 1) | UINT64_C(1) << (19 - 1))
struct thaw_action {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

/* A change of memory that the host is still to be told of. */
struct thaw_shim_change {
	uint64_t start;
	uint64_t size; /* whole pages, | THAW_SHIM_UNMAP */
};
#define THAW_SHIM_UNMAP 1
#define THAW_SHIM_CHANGES 32

/* Descriptors of files that the shim may have. */
#define THAW_SHIM_FILES 16

/* What the shim keeps. */
struct thaw_shim {
	uint32_t is_active; /* the host's to set */
	uint32_t reserved;
	uint64_t reserved_more;

	/* the call that is being made */
#ifdef __aarch64__
	struct thaw_registers registers;
#else
	uint64_t number;
	uint64_t args[6];
	uint64_t result;
	uint64_t pc;
	uint64_t flags;
	uint64_t sp;
#endif
	uint64_t input_used;  /* bytes read of thaw_given.input */
	uint64_t output_used; /* bytes at THAW_GPA_OUTPUT, and at _ERRORS */
	uint64_t errors_used;
	uint64_t closed; /* of descriptors 0 to 2, a bit each */
	uint64_t signal_mask;
	uint64_t changed_actions; /* a bit for each signal, from 1 on */
	uint64_t break_end;
	uint64_t arena_end; /* new mappings go below */
	uint64_t change_count;
	struct thaw_shim_change changes[THAW_SHIM_CHANGES];
	uint64_t offsets[THAW_SHIM_FILES]; /* of files: see struct thaw_file */
};

/* Memory that the program may read, and, if is_writable is set, write. */
struct thaw_range {
	uint64_t start;
	uint64_t end;
};
#define THAW_RANGE_WRITE 1 /* in end */
#define THAW_RANGES 64

/* sizeof(struct stat) on both architectures, at most. */
#define THAW_STATUS_SIZE 144

/*
 * A descriptor of a regular file that is in the snapshot: at @start there are
 * THAW_STATUS_SIZE bytes of what fstat() says, and then the @size bytes of the file.
 */
struct thaw_file {
	uint32_t fd;
	uint32_t place; /* in thaw_shim.offsets; of duplicates, the same */
	uint32_t start;
	uint32_t size;
};

/* What the host gives the shim. */
struct thaw_given {
	/* descriptors below 64, a bit for each */
	uint64_t input_files;
	uint64_t output_files;
	uint64_t error_files;
	/* what is left of the request: in the request window */
	uint64_t input;
	uint64_t input_size;
	uint64_t break_start;
	uint64_t break_limit;
	uint64_t arena_start;
	uint64_t arena_end;
	uint64_t used_ns;      /* CPU time that the program had used before */
	uint32_t thread;       /* which runs; gettid() */
	uint32_t is_alone;     /* there is no other thread */
	uint32_t is_signalled; /* a signal waits that is masked */
	uint32_t user;
	uint64_t change_limit; /* changes of memory that it may note */
	uint64_t range_count;
	struct thaw_range ranges[THAW_RANGES];
	/* what fstat() says of descriptors 0 to 2 */
	uint8_t status[3][THAW_STATUS_SIZE];
	uint64_t file_count;
	struct thaw_file files[THAW_SHIM_FILES];
};

#ifdef __aarch64__
THAW_ASSERT(offsetof(struct thaw_shim, registers) == THAW_SHIM_REGISTERS,
	    "ABI");
#else
THAW_ASSERT(offsetof(struct thaw_shim, number) == THAW_SHIM_NUMBER, "ABI");
THAW_ASSERT(offsetof(struct thaw_shim, args) == THAW_SHIM_ARGS, "ABI");
THAW_ASSERT(offsetof(struct thaw_shim, result) == THAW_SHIM_RESULT, "ABI");
THAW_ASSERT(offsetof(struct thaw_shim, pc) == THAW_SHIM_PC, "ABI");
THAW_ASSERT(offsetof(struct thaw_shim, flags) == THAW_SHIM_FLAGS, "ABI");
THAW_ASSERT(offsetof(struct thaw_shim, sp) == THAW_SHIM_SP, "ABI");
#endif
THAW_ASSERT(sizeof(struct thaw_shim) <= THAW_PAGE_SIZE / 2,
	    "the stack has the rest");
THAW_ASSERT(sizeof(struct thaw_given) <= THAW_PAGE_SIZE, "one page");
THAW_ASSERT(THAW_SIGNALS * sizeof(struct thaw_action) <= THAW_PAGE_SIZE,
	    "one page");

#endif /* __ASSEMBLER__ */
#endif
