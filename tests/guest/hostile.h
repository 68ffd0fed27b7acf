/*
 * hostile.h - what the files of hostile.elf share.
 *
 * The handler `hostile` looks its request up in the lists of behaviours.h and
 * arch_behaviours.h and calls the function of that name.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdint.h>

#define DECLARE_BEHAVIOUR(name, ends, text) void name(void);

/* Hides a value from the optimizer. */
#define HIDDEN(value)                                \
	({                                           \
		uint64_t hidden = (value);           \
		__asm__ volatile("" : "+r"(hidden)); \
		hidden;                              \
	})

static inline __attribute__((always_inline)) void poke(uint64_t address)
{
	*(volatile uint8_t *)HIDDEN(address) = 1;
}

static inline __attribute__((always_inline)) void peek(uint64_t address)
{
	(void)*(volatile uint8_t *)HIDDEN(address);
}

static inline __attribute__((always_inline)) void jump(uint64_t address)
{
	((void (*)(void))HIDDEN(address))();
}

#endif
