/*
 * waterfall.h - `thaw bench --waterfall`: what a warm invocation by exit takes beyond
 * floor.run, step by step.
 *
 * Instructions are counted: see instructions.h. They are exact, but for steps that the
 * number of pages in the hot set decides. Times are measured in two ways. A step whose
 * function can be called again and again is called so, and its time is for one call, with
 * warm caches. What the invocation takes in all, and the guest in it, is measured in turn
 * with floor.run. The difference is time that caches take which KVM has emptied during
 * the exit, and steps that cannot be repeated.
 */
#ifndef BENCH_WATERFALL_H
#define BENCH_WATERFALL_H

#include <stdint.h>

#include "base/error.h"

enum bench_step {
	BENCH_STEP_CALL, /* from thaw_invoke() to the next steps, accounting */
	BENCH_STEP_CLOCKS,  /* of the C library and the vDSO */
	BENCH_STEP_POOL,    /* a vm taken, and given back */
	BENCH_STEP_REQUEST, /* request and info page written */
	BENCH_STEP_INFO,    /* entropy, generation, clocks */
	BENCH_STEP_RUN,	    /* deadline armed, exit decoded and judged */
	BENCH_STEP_REPLY,   /* log lines and reply taken and checked */
	BENCH_STEP_RESTORE, /* without the copies */
	BENCH_STEP_COPY,    /* of pages of the hot set */
	BENCH_STEPS,
};

struct bench_waterfall {
	double instructions[BENCH_STEPS]; /* 0 in all: could not be counted */
	unsigned code_pages, code_lines;  /* that it has instructions in */
	double ns[BENCH_STEPS];		  /* negative: not measured alone */
	unsigned hot_pages;		  /* at the end */
	/* medians of what was measured in turn */
	double floor_ns; /* floor.run */
	double guest_ns; /* beyond it: entry stub, dispatcher, handler */
	double warm_ns;	 /* invoke.warm */
};

/*
 * Measures for about @duration_ns. 0 or -errno after a message. If this machine does not
 * let instructions be counted, a warning says so. The process has one thread.
 */
int bench_waterfall_measure(uint64_t duration_ns, struct error *err,
			    struct bench_waterfall *ret_waterfall);

#endif
