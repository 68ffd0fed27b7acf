/* saved.h (arm64) - where dispatch saves the registers. */
#ifndef SAVED_H
#define SAVED_H

#define SAVED_GENERAL 0 /* x0 to x30, sp */
#define SAVED_FLAGS 256 /* NZCV */
#define SAVED_FPCR 264
#define SAVED_FPSR 272
#define SAVED_TPIDR 280
#define SAVED_VECTORS 288 /* v0 to v31 */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct saved {
	uint64_t general[32];
	uint64_t flags;
	uint64_t fpcr;
	uint64_t fpsr;
	uint64_t tpidr;
	uint64_t vectors[64];
};

extern struct saved saved;
#endif

#endif
