/*
 * run_queue.h - the invocations that a worker is about to run. Functions take
 * turns: each has a line of its own, and the queue is a line of those lines. A
 * turn is over when the function has used a slice of the worker's time, in one
 * invocation or in many: so all functions get as much of that time, and who has
 * many invocations waiting, or long ones, has others wait for a slice.
 *
 *	line = queue.first;
 *	invocation = run_queue_pop(&queue);
 *	... run it, for ns ...
 *	run_queue_charge(&queue, line, ns);
 *
 * Belongs to the worker's thread.
 */
#ifndef EXECUTOR_SERVER_RUN_QUEUE_H
#define EXECUTOR_SERVER_RUN_QUEUE_H

#include <stdint.h>

struct invocation;

/* A turn, in time of the worker; the invocation that ends it may take longer. */
#define RUN_QUEUE_TURN_NS UINT64_C(500000)

/* One function's, in one queue. Zeroed before its first use. */
struct run_line {
	struct invocation *first, **last;
	struct run_line *next; /* in the queue, if it has any */
	uint64_t used_ns;      /* in this turn */
};

struct run_queue {
	struct run_line *first, **last;
	unsigned count; /* of all invocations */
	uint64_t turns; /* that were used up so far */
};

void run_queue_init(struct run_queue *queue);

/* Adds @invocation to @line, which is its function's. */
void run_queue_push(struct run_queue *queue, struct run_line *line,
		    struct invocation *invocation);

/* The next one; there has to be one. Its function stays first. */
struct invocation *run_queue_pop(struct run_queue *queue);

/*
 * One that was popped from @line, when that was the first, has used so much: its
 * function may have had its turn. @line may not be there any more.
 */
void run_queue_charge(struct run_queue *queue, struct run_line *line,
		      uint64_t ns);

#endif
