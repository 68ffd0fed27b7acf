/*
 * gunyah_state.h - what a program has that has the devices of the Gunyah C runtime: what
 * it has registered, and its interrupts. See gunyah.h.
 *
 * Belongs to the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_GUNYAH_STATE_H
#define EXECUTOR_LINUX_GUNYAH_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/linux/interrupts.h"
#include "executor/linux/signals.h"

/* The last real-time signal, which rt_sigaction() does not take from such a program. */
#define GUNYAH_SIGNAL LINUX_SIGNALS
/* Where functions return to: among the pages that no guest has. */
#define GUNYAH_RETURN_ADDRESS 0xfff0u

/* So many interrupts the host asserts in one invocation at most. */
#define GUNYAH_INTERRUPTS_MAX 32
/* The prefix of lines, its zero included. */
#define GUNYAH_PREFIX_SIZE 16
/* One write() hands so many bytes to the console function at most. */
#define GUNYAH_TEXT_SIZE 1024
/* Of the log buffer. */
#define GUNYAH_LOG_MAX ((uint64_t)512 << 10)

/* The host is to assert @line so long after the invocation begins. */
struct gunyah_interrupt {
	uint32_t line; /* less than INTERRUPTS_MAX, and not INTERRUPTS_TIMER */
	uint64_t after_ns;
};

/* What a program is to have; part of struct linux_program. */
struct gunyah_options {
	bool is_on; /* it has these devices */
	unsigned count;
	struct gunyah_interrupt interrupts[GUNYAH_INTERRUPTS_MAX];
};

struct gunyah_console {
	uint64_t function; /* an address of the program; 0: there is none */
	uint32_t prefix_size;
	uint32_t text_size, text_used;
	bool is_line_begun;	/* its prefix was handed over */
	bool is_log_line_begun; /* its time is in the log buffer */
	char prefix[GUNYAH_PREFIX_SIZE];
	char text[GUNYAH_TEXT_SIZE]; /* for the function */
	/* the log buffer, a ring in the program's memory; size 0: there is none */
	uint64_t log, log_size, log_used;
};

/* Which function runs. */
enum gunyah_running {
	GUNYAH_RUNS_NONE,
	GUNYAH_RUNS_HANDLER, /* of gunyah.line */
	GUNYAH_RUNS_CONSOLE,
	GUNYAH_RUNS_EXIT,
};

struct gunyah {
	bool is_on;
	bool is_changed; /* since gunyah_state_copy() */
	bool is_parked;	 /* frozen at ppoll() */
	bool is_repeating; /* and is to make that call again: no interrupt comes before */
	bool is_exiting; /* no interrupt comes any more */
	enum gunyah_running running;
	uint32_t line;
	uint64_t arguments[2]; /* of the function that is about to run */
	uint64_t exit_function;
	uint64_t exit_number, exit_status; /* of the call that has exited */
	struct gunyah_console console;
	struct interrupts interrupts;
	/* CLOCK_MONOTONIC, of each in the options; 0: it was asserted */
	uint64_t at_ns[GUNYAH_INTERRUPTS_MAX];
};

/* Gives a new process, all zero but its initialised @signals, what it is to have. */
void gunyah_state_init(struct gunyah *gunyah, struct signals *signals,
		       const struct gunyah_options *options);

/* Makes *@to, zero or an earlier copy, equal to *@from. */
void gunyah_state_copy(struct gunyah *to, const struct gunyah *from);

#endif
