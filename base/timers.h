/*
 * timers.h - one thread's timers: a pairing heap of structs that are embedded in
 * what they belong to. No allocation, no system call; setting one is O(1).
 *
 *	timer_set(&timers, &thing->timer, now_ns + limit_ns);
 *	...
 *	io_wait(io, timers_next(&timers));
 *	timers_fire(&timers, clock_now_ns());
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <stdint.h>

/* Before its first use all of it is 0 but @fire. */
struct timer {
	void (*fire)(
		struct timer *timer); /* called after the timer is cleared */
	uint64_t at_ns;		      /* CLOCK_MONOTONIC */
	struct timer *child, *next;
	struct timer **link; /* what points here; NULL: not set */
};

struct timers {
	struct timer *root;
};

/* Sets a timer, which may be set already. */
void timer_set(struct timers *timers, struct timer *timer, uint64_t at_ns);

/* Clears a timer, which need not be set. */
void timer_clear(struct timers *timers, struct timer *timer);

/* Returns when the next timer is due; UINT64_MAX if none is set. */
uint64_t timers_next(const struct timers *timers);

/* Calls fire() of the timers that are due at @now_ns, the earliest first. */
void timers_fire(struct timers *timers, uint64_t now_ns);

#endif
