/*
 * served_steps.h - the steps of a request that `thaw serve` answers, and which function
 * is part of which.
 */
#ifndef BENCH_SERVED_STEPS_H
#define BENCH_SERVED_STEPS_H

#include <stdbool.h>

enum bench_served_step {
	BENCH_SERVED_RING, /* completions taken, operations prepared, waiting */
	BENCH_SERVED_PARSE, /* bytes to a request */
	BENCH_SERVED_ROUTE, /* its function found, headers and attributes taken */
	BENCH_SERVED_ADMIT, /* checked, queued, given a vm */
	BENCH_SERVED_RUN, /* request written, vcpu run, exit judged, reply taken */
	BENCH_SERVED_REPLY, /* the reply to bytes */
	BENCH_SERVED_RESTORE,
	BENCH_SERVED_ACCOUNT, /* clocks, timers, counters, budgets */
	BENCH_SERVED_STEPS,
};

/*
 * The step of @function, by its name. One that no step claims is part of the step
 * @before, or, if that is negative, of the first. For instructions.h.
 */
int bench_served_step_of(const char *function, bool is_vdso, int before);

#endif
