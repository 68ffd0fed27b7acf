/*
 * run_queue.h - the invocations that a worker is about to run. Functions take
 * turns: each has a line of its own, and the queue is a line of those lines. So
 * who has many invocations waiting has others wait for one of them at a time.
 *
 * Belongs to the worker's thread.
 */
#ifndef EXECUTOR_SERVER_RUN_QUEUE_H
#define EXECUTOR_SERVER_RUN_QUEUE_H

#include <stdint.h>

struct invocation;

/* One function's, in one queue. Zeroed before its first use. */
struct run_line {
	struct invocation *first, **last;
	struct run_line *next; /* in the queue, if it has any */
};

struct run_queue {
	struct run_line *first, **last;
	unsigned count; /* of all invocations */
	uint64_t turns; /* taken so far */
};

void run_queue_init(struct run_queue *queue);

/* Adds @invocation to @line, which is its function's. */
void run_queue_push(struct run_queue *queue, struct run_line *line,
		    struct invocation *invocation);

/* The next one; there has to be one. */
struct invocation *run_queue_pop(struct run_queue *queue);

#endif
