/*
 * instructions.h - counts the instructions that a piece of code takes in user mode, by
 * function. A child process does what is to be counted, one instruction at a time.
 *
 * The C library and the vDSO count as well. The kernel and guests do not. An instruction
 * that repeats itself, such as REP MOVSB, counts once. Anything that waits for another
 * thread or a CPU takes a number of instructions that means nothing.
 */
#ifndef BENCH_INSTRUCTIONS_H
#define BENCH_INSTRUCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* The most functions that are told apart, and the longest name with its zero. */
#define INSTRUCTIONS_FUNCTIONS_MAX 512
#define INSTRUCTIONS_NAME_MAX 64

/*
 * Sorts functions into steps. @before is the step of the function that ran before, at
 * first -1; the result is that of @function.
 */
typedef int (*instructions_step_fn)(const char *function, bool is_vdso,
				    int before);

/* A round with more is given up: it may never end. */
#define INSTRUCTIONS_ROUND_MAX 1000000

/* What is counted. The calls run in the child; they return 0, or -errno after a message. */
struct instructions_body {
	int (*open)(void *cookie, struct error *err); /* not counted */
	int (*once)(void *cookie, struct error *err);
	void *cookie;
	unsigned warm_up; /* how often once() is called before it is counted */
	unsigned rounds;  /* and how often then */
	instructions_step_fn step; /* NULL: all are of step 0 */
};

/* What is counted of a thread that is there already, of another process. */
struct instructions_thread {
	pid_t process, thread;
	/* A function of the process that the thread calls before it waits. */
	const char *mark;
	/*
	 * Called whenever the thread comes there, and has stopped. Returns 1: a round is
	 * over, and the next begins; 0: it goes on; or -errno after a message. The
	 * thread must have something to do, or it waits for ever.
	 */
	int (*at_mark)(void *cookie, struct error *err);
	void *cookie;
	unsigned rounds;
	instructions_step_fn step;
};

struct instructions {
	unsigned rounds;
	uint64_t total; /* of all rounds, as the other numbers */
	uint64_t calls; /* of these, how many call the kernel */
	unsigned pages; /* of 4 KiB, that have an instruction that was counted */
	unsigned lines; /* of 64 bytes */
	size_t count;
	/* in the order of their first instruction; a function may be in several steps */
	struct instructions_function {
		char name[INSTRUCTIONS_NAME_MAX]; /* "?": it has no symbol */
		int step;
		uint64_t count;
	} functions[INSTRUCTIONS_FUNCTIONS_MAX];
};

/*
 * Counts. Returns 0, or -errno after a message; -EPERM: this machine lets a process trace
 * no other. For a process with one thread: others are not in the child.
 */
int instructions_count(const struct instructions_body *body, struct error *err,
		       struct instructions *ret_instructions);

/*
 * Counts those of a thread of a child of this process. It goes on afterwards, as it was.
 * Returns as above.
 */
int instructions_count_thread(const struct instructions_thread *thread,
			      struct error *err,
			      struct instructions *ret_instructions);

#endif
