/*
 * run_queue.h - the invocations that a worker is about to run.
 *
 * Each function has a line of its own. The next invocation comes from the line
 * that has used the least of the worker's time, so all functions get the same
 * share of it, whether they run many short invocations or a few long ones. A
 * function that uses little time is next at once, however many invocations of
 * others are waiting. This is start-time fair queueing: a line that was idle
 * has saved nothing up.
 *
 *	line = run_queue_pop(&queue, &entry);
 *	... run it, for ns ...
 *	run_queue_charge(&queue, line, ns);
 *
 * A queue belongs to its worker's thread. Nothing is allocated.
 */
#ifndef EXECUTOR_SERVER_RUN_QUEUE_H
#define EXECUTOR_SERVER_RUN_QUEUE_H

#include <stdint.h>

#include "base/timers.h"

/* Embedded in what waits. */
struct run_entry {
	struct run_entry *next;
	uint64_t popped; /* run_queue.popped when it was pushed */
};

/* The entries of one function in one queue. Zeroed before its first use. */
struct run_line {
	struct timer place; /* in the queue; at_ns is the time it has used */
	struct run_entry *first, **last;
};

struct run_queue {
	struct timers lines; /* those that have entries */
	uint64_t used_ns;    /* by the line popped last, before that run */
	unsigned count;	     /* entries in all lines */
	uint64_t popped;     /* entries popped so far */
};

/* Adds @entry at the end of @line, or at its beginning. */
void run_queue_push(struct run_queue *queue, struct run_line *line,
		    struct run_entry *entry);
void run_queue_push_first(struct run_queue *queue, struct run_line *line,
			  struct run_entry *entry);

/* Takes the next entry and returns its line. The queue must not be empty. */
struct run_line *run_queue_pop(struct run_queue *queue,
			       struct run_entry **ret_entry);

/* The entry that was popped from @line last has run for @ns. */
void run_queue_charge(struct run_queue *queue, struct run_line *line,
		      uint64_t ns);

#endif
