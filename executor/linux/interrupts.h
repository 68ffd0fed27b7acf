/*
 * interrupts.h - the interrupt lines of a Linux program that has Gunyah's devices: which
 * have a handler, are enabled, and are pending. How handlers come to run is in gunyah.h.
 *
 * A line becomes pending when it is asserted. An edge-triggered line, and one that the
 * program has asserted itself, is pending until its handler begins. A level-triggered
 * line that the host has asserted is pending until the program clears it.
 *
 * Lines are the program's numbers, and may be anything. A table, without pointers:
 * copied by assignment. On the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_INTERRUPTS_H
#define EXECUTOR_LINUX_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

#define INTERRUPTS_MAX 1020
#define INTERRUPTS_WORDS ((INTERRUPTS_MAX + 63) / 64)
/* That of the timer, which no program can have: waits with a time limit have it. */
#define INTERRUPTS_TIMER 27

/* Triggers of the interface that are accepted. */
#define INTERRUPTS_LEVEL_HIGH 0
#define INTERRUPTS_EDGE_RISING 2

/* Addresses of the program. */
struct interrupt_handler {
	uint64_t function; /* 0: the line has none */
	uint64_t data;
};

struct interrupts {
	uint64_t enabled[INTERRUPTS_WORDS];
	uint64_t pending[INTERRUPTS_WORDS];
	uint64_t held[INTERRUPTS_WORDS]; /* by the host, until it is cleared */
	uint64_t edge[INTERRUPTS_WORDS];
	struct interrupt_handler handlers[INTERRUPTS_MAX];
};

/* Makes all lines those that nobody has used: not enabled, without handlers. */
void interrupts_init(struct interrupts *interrupts);

/*
 * As the requests of /dev/gicv3. 0; -EINVAL: there is no such line; -EBUSY: it is the
 * timer's, or, of interrupts_register(), it has a handler; -ENOENT: it has none.
 */
int interrupts_register(struct interrupts *interrupts, uint32_t line,
			uint64_t function, uint64_t data);
int interrupts_deregister(struct interrupts *interrupts, uint32_t line);
int interrupts_set_enabled(struct interrupts *interrupts, uint32_t line,
			   bool is_enabled);
int interrupts_assert(struct interrupts *interrupts, uint32_t line);
int interrupts_clear(struct interrupts *interrupts, uint32_t line);

/* 0; -EINVAL: no such line, or not such a trigger for it; -EBUSY: the timer's. */
int interrupts_set_trigger(struct interrupts *interrupts, uint32_t line,
			   uint32_t trigger);

/* Has the host assert @line, which exists. */
void interrupts_raise(struct interrupts *interrupts, uint32_t line);

/* The lowest line that is pending and enabled; -1: there is none. */
int interrupts_next(const struct interrupts *interrupts);

/*
 * Takes @line, which is the next: the handler that is to run, or NULL. A line without one
 * is not enabled any more.
 */
const struct interrupt_handler *interrupts_take(struct interrupts *interrupts,
						uint32_t line);

#endif
