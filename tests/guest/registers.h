/*
 * registers.h - registers.elf, whose own dispatch saves every register before
 * any C code runs.
 *
 * A request is DIRT, or DIRT and an ending. Each invocation first looks for
 * what an earlier one may have left; if there is anything it replies what, as
 * "NAME=VALUE NAME=VALUE". Else "look" replies "pristine", and the others
 * change the state they are named after and end. "look modes" looks also at
 * what not every CPU has.
 */
#ifndef REGISTERS_H
#define REGISTERS_H

/* What is dirtied; more precisely, the architecture says. */
#define DIRT_GENERAL 0x01
#define DIRT_FLAGS 0x02
#define DIRT_FLOAT 0x04
#define DIRT_VECTORS 0x08
#define DIRT_SELECTORS 0x10
#define DIRT_BASES 0x20
#define DIRT_STACK 0x40
#define DIRT_MODES 0x80 /* faults where the CPU has none */

/* How the invocation ends. */
#define END_DONE 0
#define END_FAULT 1
#define END_SPIN 2

#ifndef __ASSEMBLER__
#include <stdint.h>

/* arch/ARCH/registers.S: where invocations begin; saves, then calls below. */
void dispatch(void);

/* arch/ARCH/registers.S: dirties what @dirt says, and ends as @ending. */
_Noreturn void make_dirty(uint64_t dirt, uint64_t ending);

/* registers.c: called by dispatch, on the stack the entry stub gave. */
_Noreturn void invoked(void);

/* arch/ARCH/registers_look.c: reports what is not as documented. */
void look(void);

/* arch/ARCH/registers_look.c: DIRT_MODES; faults where the CPU has none. */
void look_at_modes(void);

/* registers.c: adds one difference to the reply. */
void differs(const char *name, unsigned index, uint64_t value);

#endif /* __ASSEMBLER__ */
#endif
