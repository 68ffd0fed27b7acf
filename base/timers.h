/*
 * timers.h - one thread's timers: a pairing heap of structs embedded in what
 * they belong to. No allocation, no system call; setting one is O(1).
 *
 *	timer_set(&timers, &connection->timer, now_ns + limit_ns);
 *	...
 *	io_wait(io, timers_next(&timers));
 *	timers_fire(&timers, clock_now_ns());
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <stdint.h>

/* Zeroed, but for fire, before its first use. */
struct timer {
	void (*fire)(struct timer *timer); /* it is not set any more */
	uint64_t at_ns;			   /* CLOCK_MONOTONIC */
	struct timer *child, *next;
	struct timer **link; /* what points here; NULL: not set */
};

struct timers {
	struct timer *root;
};

/* Sets a timer, anew if it was set. */
void timer_set(struct timers *timers, struct timer *timer, uint64_t at_ns);

/* Fine for one that is not set. */
void timer_clear(struct timers *timers, struct timer *timer);

/* When the next one is due; UINT64_MAX: none is set. */
uint64_t timers_next(const struct timers *timers);

/* Calls those that are due at @now_ns. */
void timers_fire(struct timers *timers, uint64_t now_ns);

#endif
