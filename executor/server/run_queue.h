/*
 * run_queue.h - the invocations that a worker is about to run. Each function has a
 * line of its own, and the next one is of the function that has used least of the
 * worker's time. So all get as much of it, whether in many invocations or in long
 * ones; and one that uses little is next at once, whatever others have waiting.
 * (Start-time fair queueing: who was idle has saved nothing up.)
 *
 *	line = run_queue_pop(&queue, &invocation);
 *	... run it, for ns ...
 *	run_queue_charge(&queue, line, ns);
 *
 * Belongs to the worker's thread.
 */
#ifndef EXECUTOR_SERVER_RUN_QUEUE_H
#define EXECUTOR_SERVER_RUN_QUEUE_H

#include <stdint.h>

#include "base/timers.h"

struct invocation;

/* One function's, in one queue. Zeroed before its first use. */
struct run_line {
	struct timer place; /* in the queue, by at_ns: the time it has used */
	struct invocation *first, **last;
};

struct run_queue {
	struct timers lines; /* those that have any */
	uint64_t used_ns;    /* by the one that was popped last, before it */
	unsigned count;	     /* of all invocations */
	uint64_t popped;     /* so far */
};

/* Adds @invocation to @line, which is its function's: as the last, or the first. */
void run_queue_push(struct run_queue *queue, struct run_line *line,
		    struct invocation *invocation);
void run_queue_push_first(struct run_queue *queue, struct run_line *line,
			  struct invocation *invocation);

/* The next one, and its line; there has to be one. */
struct run_line *run_queue_pop(struct run_queue *queue,
			       struct invocation **ret_invocation);

/* The one popped from @line last has used so much. */
void run_queue_charge(struct run_queue *queue, struct run_line *line,
		      uint64_t ns);

#endif
