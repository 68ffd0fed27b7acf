/* saved.h (x86_64) - where dispatch saves the registers. */
#ifndef SAVED_H
#define SAVED_H

#define SAVED_GENERAL 0 /* rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8.. */
#define SAVED_FLAGS 128
#define SAVED_SELECTORS 136 /* cs, ds, es, fs, gs, ss: 2 bytes each */
#define SAVED_AT_FS 152	    /* 8 bytes of the info page through FS, GS */
#define SAVED_AT_GS 160
#define SAVED_XCR0 168
#define SAVED_XSAVE 192
/* of the standard form, with AMX, where a KVM leaves that on, in it */
#define SAVED_XSAVE_SIZE 16384

#ifndef __ASSEMBLER__
#include <stdint.h>

struct saved {
	uint64_t general[16];
	uint64_t flags;
	uint16_t selectors[6];
	uint64_t at_fs;
	uint64_t at_gs;
	uint64_t xcr0;
	uint8_t xsave[SAVED_XSAVE_SIZE] __attribute__((aligned(64)));
};

extern struct saved saved;
#endif

#endif
