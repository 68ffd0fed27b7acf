/*
 * thaw_abi.h - the contract between thaw and the code it runs.
 *
 * This one file is compiled on both sides: into the host (vm/, snapshot/,
 * executor/) and into every guest (guest/). It holds the layout of guest
 * memory, the two pages through which host and guest talk, and the values of
 * the doorbell. Anything that changes here changes THAW_ABI_VERSION.
 *
 * Addresses are numbers, never pointers: guest memory is one memslot in which
 * gpa == offset and gva == gpa. All fields are little endian. The host takes
 * nothing in the mailbox for granted: it copies once, checks, and then uses.
 */
#ifndef THAW_ABI_H
#define THAW_ABI_H

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

#include "thaw_log.h"
#endif

#define THAW_ABI_VERSION 6

/* The guest's page size; the host's may be larger (arm64). */
#define THAW_PAGE_SIZE 4096

/*
 * Guest memory, from the bottom. Page 0 up to THAW_GPA_SYSTEM is never mapped,
 * so a null pointer with any small offset faults.
 *
 *	THAW_GPA_SYSTEM		supervisor, read-only	x86_64: GDT, TSS, IDT
 *	THAW_GPA_SUPERVISOR	supervisor, execute	fault stubs, vectors
 *	THAW_GPA_FAULT		supervisor, read-write	x86_64: fault stack
 *	THAW_GPA_STUB		user, read-execute	entry stub
 *	THAW_GPA_INFO		user, read-only		struct thaw_info
 *	THAW_GPA_MAILBOX	user, read-write	struct thaw_mailbox
 *	THAW_GPA_HEADERS	user, read-only		the request's headers
 *	THAW_GPA_LOG		user, read-write	log lines
 *	THAW_GPA_ENVIRONMENT	user, read-only		environment
 *	THAW_GPA_IMAGE		the ELF's segments, then, each behind an
 *				unmapped guard: heap, stack, result window (of
 *				host functions), request window, reply window;
 *				page tables end the memory and are not mapped
 *				at all.
 *
 * Functions with polled dispatch have one page more, in a memslot of its own
 * that is neither tracked nor restored:
 *
 *	THAW_GPA_CONTROL	supervisor, read-write (isolation "cooperative":
 *				user)			struct thaw_control
 */
#define THAW_GPA_SYSTEM 0x10000
#define THAW_GPA_SUPERVISOR 0x11000
#define THAW_GPA_FAULT 0x12000
#define THAW_GPA_STUB 0x13000
#define THAW_GPA_INFO 0x14000
#define THAW_GPA_MAILBOX 0x15000
#define THAW_MAILBOX_SIZE 0x2000
#define THAW_GPA_HEADERS 0x17000
#define THAW_HEADERS_SIZE 0x5000
#define THAW_GPA_LOG 0x1c000
#define THAW_LOG_SIZE 0x4000
#define THAW_GPA_ENVIRONMENT 0x20000
#define THAW_ENVIRONMENT_MAX 0x10000
#define THAW_GPA_IMAGE 0x100000
#define THAW_GPA_CONTROL 0x800010000

/*
 * The doorbell, the guest's deliberate exit. On x86_64 it is a one-byte `out`
 * to THAW_DOORBELL_PORT, the only port the TSS opens to user mode; on arm64 a
 * 32-bit store to THAW_DOORBELL_GPA, where no memory is. Supervisor code has two
 * doorbells of its own, which user mode cannot use: one reports a fault, the other
 * says that nothing has come to the gate for some time.
 */
#define THAW_DOORBELL_PORT 0x18
#define THAW_FAULT_PORT 0x19
#define THAW_IDLE_PORT 0x1a
#define THAW_DOORBELL_GPA 0x800000000
#define THAW_FAULT_GPA 0x800001000
#define THAW_IDLE_GPA 0x800001100

/* Values of the doorbell. Zero is not used. */
#define THAW_BELL_READY 1   /* init is over: take the snapshot */
#define THAW_BELL_DONE 2    /* the reply, or the error, is in the mailbox */
#define THAW_BELL_LOG 3	    /* take the log lines; continue */
#define THAW_BELL_REFUSED 4 /* the entry stub found state it cannot reset */
#define THAW_BELL_IDLE 5    /* cooperative: no request for some time */
#define THAW_BELL_SLEEP 6   /* go on after the mailbox's sleep_ns */
#define THAW_BELL_CALL 7    /* call a host function; continue with its result */

/* x86_64: bytes between the fault stubs of two vectors. */
#define THAW_X86_FAULT_STUB_SIZE 16

/* x86_64 selectors: the ones Linux uses. */
#define THAW_X86_KERNEL_CS 0x10
#define THAW_X86_KERNEL_DS 0x18
#define THAW_X86_USER_DS 0x2b
#define THAW_X86_USER_CS 0x33
#define THAW_X86_TSS 0x40

/* Offsets in bytes, for the entry stub, which is assembly; asserted below. */
#define THAW_INFO_DISPATCH 8
#define THAW_INFO_STACK_TOP 16
#define THAW_INFO_REQUEST_START 40
#define THAW_INFO_DONE 96
#define THAW_CONTROL_GO 0
#define THAW_CONTROL_SPINS 4
#define THAW_CONTROL_DONE 64

/* Sizes of the strings in the two pages, in bytes, with the zero at the end. */
#define THAW_NAME_MAX 64
#define THAW_FUNCTION_MAX 72 /* of a function's name, which may have 64 bytes */
#define THAW_ID_MAX 64
#define THAW_CONTENT_TYPE_MAX 128
#define THAW_ERROR_TYPE_MAX 64
#define THAW_ERROR_MESSAGE_MAX 1024
#define THAW_LOG_MAX 1024

/* How many log lines may be unfinished: one of stdout and one of stderr. */
#define THAW_LINES 2

/*
 * The attributes of a request: texts that a client sends beside the data. They are pairs
 * of strings, "name\0value\0", in the info page after struct thaw_info.
 */
#define THAW_GPA_ATTRIBUTES (THAW_GPA_INFO + 464)
#define THAW_ATTRIBUTES_MAX 3584

/*
 * The most bytes that headers have. Those of a request are such pairs at
 * THAW_GPA_HEADERS; an empty name ends them. The limit is that of the server, so there
 * is room for all headers that it accepts. Those of a reply are in the mailbox.
 */
#define THAW_HEADERS_MAX 16384
#define THAW_REPLY_HEADERS_MAX 4096

/* The least and the greatest HTTP status of a reply that has one. */
#define THAW_REPLY_STATUS_MIN 200
#define THAW_REPLY_STATUS_MAX 599

/* The most handlers, and the most typed functions (thaw_typed.h), of an image. */
#define THAW_HANDLERS_MAX 256
#define THAW_FUNCTIONS_MAX 256

/* thaw_info.request.handler of a request that calls a typed function. */
#define THAW_HANDLER_TYPED 0xffffffff

/* Bytes of fresh randomness that an invocation gets. */
#define THAW_ENTROPY_SIZE 32

/* The host functions that a guest does without an exit: they write log lines. */
#define THAW_HOST_LOCAL_PRINT 0x1
#define THAW_HOST_LOCAL_LOG 0x2

#ifndef __ASSEMBLER__

#ifdef __cplusplus
#define THAW_ASSERT static_assert
#else
#define THAW_ASSERT _Static_assert
#endif

/*
 * What the host tells the guest; read-only in user mode. The fields down to
 * `host_local` are fixed at boot; the host writes the rest for every
 * invocation.
 */
struct thaw_info {
	uint32_t abi_version;
	uint32_t page_size;
	uint64_t dispatch;  /* where the entry stub jumps */
	uint64_t stack_top; /* 16-byte aligned */
	uint64_t heap_start;
	uint64_t heap_end;
	uint64_t request_start; /* request window, user read-only */
	uint64_t request_size;
	uint64_t reply_start; /* reply window, user read-write */
	uint64_t reply_size;
	uint64_t environment;  /* char *[], NULL-terminated */
	uint64_t result_start; /* result window, user read-only */
	uint32_t result_size; /* bytes; 0: the catalog allows no host functions */
	uint32_t host_local; /* THAW_HOST_LOCAL_*: allowed, and the guest's own */

	/* where the function jumps when it is done; in the stub's page */
	uint64_t done;

	/* time: base + ((counter - counter_base) * mult >> shift) */
	uint64_t counter_base;
	uint64_t monotonic_base_ns;
	uint64_t realtime_base_ns;
	uint32_t counter_mult;
	uint32_t counter_shift;

	uint64_t generation; /* never the same for two invocations */
	uint8_t entropy[THAW_ENTROPY_SIZE];

	struct {
		uint32_t handler;	  /* index, or THAW_HANDLER_TYPED */
		uint32_t attributes_size; /* bytes at THAW_GPA_ATTRIBUTES */
		uint64_t size;		  /* bytes in the request window */
		uint64_t deadline_ns;	  /* CLOCK_MONOTONIC of the guest */
		char function[THAW_FUNCTION_MAX];
		char id[THAW_ID_MAX];
		char content_type[THAW_CONTENT_TYPE_MAX];
	} request;
};

/* One handler, as the SDK's THAW_HANDLER lays it down in the image. */
struct thaw_handler_entry {
	uint64_t address;
	char name[THAW_NAME_MAX - 8];
};

/*
 * An unfinished log line. If a fault or the timeout ends the function before it has
 * finished the line, the host takes the text from here.
 */
struct thaw_line {
	uint64_t text;	/* address */
	uint32_t size;	/* bytes, THAW_LOG_MAX at most */
	uint32_t level; /* enum thaw_level */
};

/*
 * One log line, at a multiple of 8 in the bytes at THAW_GPA_LOG. Its text follows,
 * THAW_LOG_MAX bytes at most. The guest appends lines, and adds the room that each
 * takes to thaw_mailbox.log_used once it is complete. The host takes all of them
 * whenever the guest rings the doorbell, and sets log_used to 0; and when the
 * invocation ends without that, by a fault or its timeout.
 */
struct thaw_log_line {
	uint32_t size;	/* bytes of text */
	uint32_t level; /* enum thaw_level */
};

/*
 * The answer to THAW_BELL_CALL, at the start of the result window. A result, a struct
 * thaw_message, or an error's text follows it; a zero ends the text.
 */
struct thaw_host_answer {
	uint32_t status; /* THAW_HOST_* of thaw_host.h */
	uint32_t size;	 /* bytes that follow, without the zero */
};

/* Values of thaw_mailbox.status. */
#define THAW_STATUS_OK 0
#define THAW_STATUS_ERROR 1

/*
 * How host and guest hand an invocation over without an exit. The host starts
 * invocation n by storing n to go. The guest ends it by storing go's value to done, and
 * then waits for go to change. In the strict isolation only the gate, which is
 * supervisor code, can write here; so if done equals go, the function's code does not
 * run. There are two cache lines, and each has one writer.
 */
struct thaw_control {
	uint32_t go;	/* the host's */
	uint32_t spins; /* the host's: looks at go before the idle bell */
	uint8_t reserved[56];
	uint32_t done; /* the guest's */
};

/* What the guest tells the host. User mode writes it, so the host trusts nothing here. */
struct thaw_mailbox {
	/* THAW_BELL_DONE */
	uint32_t status;	 /* THAW_STATUS_* */
	uint32_t heap_exhausted; /* an allocation has failed */
	uint64_t reply_size;	 /* bytes at the start of the reply window */
	char content_type[THAW_CONTENT_TYPE_MAX];
	char error_type[THAW_ERROR_TYPE_MAX];
	char error_message[THAW_ERROR_MESSAGE_MAX];

	/*
	 * THAW_BELL_READY; lines from the start, since init may fault. Images of
	 * all versions have their version here.
	 */
	uint32_t abi_version;
	uint32_t handler_count;
	uint64_t handlers; /* struct thaw_handler_entry[] */
	uint64_t dispatch; /* the new thaw_info.dispatch */
	uint64_t lines;	   /* struct thaw_line[THAW_LINES], or 0 */

	/*
	 * Every bell, and the end: bytes of lines at THAW_GPA_LOG. Images of version 5
	 * had a level here, and so no lines of this kind.
	 */
	uint32_t log_used;
	uint32_t reserved;

	/* THAW_BELL_CALL: a struct thaw_message anywhere in guest memory */
	uint64_t call;
	uint64_t call_size;

	/* THAW_BELL_SLEEP */
	uint64_t sleep_ns;

	/* THAW_BELL_READY */
	uint32_t function_count;   /* declarations in the image */
	uint32_t registered_count; /* of functions that init has added */
	uint64_t registered;	   /* struct thaw_function_entry[] */

	/* THAW_BELL_DONE */
	uint32_t http_status; /* 0: none */
	uint32_t headers_size;
	char headers[THAW_REPLY_HEADERS_MAX]; /* "name\0value\0" */
};

THAW_ASSERT(THAW_GPA_INFO + sizeof(struct thaw_info) == THAW_GPA_ATTRIBUTES,
	    "behind it");
THAW_ASSERT(sizeof(struct thaw_info) + THAW_ATTRIBUTES_MAX <= THAW_PAGE_SIZE,
	    "one page");
THAW_ASSERT(sizeof(struct thaw_mailbox) <= THAW_MAILBOX_SIZE, "its pages");
THAW_ASSERT(THAW_GPA_MAILBOX + THAW_MAILBOX_SIZE <= THAW_GPA_HEADERS &&
		    THAW_GPA_HEADERS + THAW_HEADERS_SIZE <= THAW_GPA_LOG &&
		    THAW_GPA_LOG + THAW_LOG_SIZE <= THAW_GPA_ENVIRONMENT,
	    "one behind the other");
THAW_ASSERT(THAW_HEADERS_MAX < THAW_HEADERS_SIZE, "and the empty name");
THAW_ASSERT(sizeof(struct thaw_handler_entry) == 64, "ABI");
THAW_ASSERT(sizeof(struct thaw_line) == 16, "ABI");
THAW_ASSERT(offsetof(struct thaw_info, dispatch) == THAW_INFO_DISPATCH, "ABI");
THAW_ASSERT(offsetof(struct thaw_info, stack_top) == THAW_INFO_STACK_TOP,
	    "ABI");
THAW_ASSERT(offsetof(struct thaw_info, request_start) ==
		    THAW_INFO_REQUEST_START,
	    "ABI");
THAW_ASSERT(offsetof(struct thaw_info, done) == THAW_INFO_DONE, "ABI");
THAW_ASSERT(offsetof(struct thaw_info, counter_base) == 104, "ABI");
THAW_ASSERT(offsetof(struct thaw_info, generation) == 136, "ABI");
THAW_ASSERT(offsetof(struct thaw_info, request) == 176, "ABI");
THAW_ASSERT(sizeof(struct thaw_info) == 464, "ABI");
THAW_ASSERT(offsetof(struct thaw_control, go) == THAW_CONTROL_GO, "ABI");
THAW_ASSERT(offsetof(struct thaw_control, spins) == THAW_CONTROL_SPINS, "ABI");
THAW_ASSERT(offsetof(struct thaw_control, done) == THAW_CONTROL_DONE, "ABI");
THAW_ASSERT(sizeof(struct thaw_log_line) == 8, "ABI");
THAW_ASSERT(sizeof(struct thaw_host_answer) == 8, "ABI");
THAW_ASSERT(offsetof(struct thaw_mailbox, abi_version) == 1232, "ABI");
THAW_ASSERT(offsetof(struct thaw_mailbox, log_used) == 1264, "ABI");
THAW_ASSERT(offsetof(struct thaw_mailbox, registered) == 1304, "ABI");
THAW_ASSERT(offsetof(struct thaw_mailbox, headers) == 1320, "ABI");
THAW_ASSERT(sizeof(struct thaw_mailbox) == 5416, "ABI");

#endif /* __ASSEMBLER__ */
#endif
