/*
 * memory.h - gives back the memory of what nobody uses any more.
 *
 *	memory_init(&memory, &config);
 *	memory_set_generation(&memory, generation);	and with each reload
 *	memory_start(&memory, jobs);			on the main thread
 *	...
 *	memory_stop(&memory);		no timer fires, no job runs any more
 *	memory_done(&memory);
 *
 * A timer of the main thread begins a job that looks at the vms of all functions
 * and frees those that have been idle for long; none of a function's
 * concurrency.warm. It also has malloc() give back what requests have left.
 */
#ifndef EXECUTOR_SERVER_MEMORY_H
#define EXECUTOR_SERVER_MEMORY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "executor/server/budget.h"
#include "executor/server/jobs.h"
#include "executor/server/metrics.h"
#include "executor/server/served.h"
#include "executor/server/timers.h"

struct memory_config {
	uint64_t idle_ns;      /* how long vms are kept that nobody uses */
	struct timers *timers; /* the main thread's */
	struct metrics_server *metrics;
	const struct budget *buffers; /* what clients make it keep */
};

struct memory {
	struct memory_config config;
	pthread_mutex_t lock;	       /* of generation */
	struct generation *generation; /* held; whose vms are looked at */
	struct jobs *jobs;
	struct timer timer;
	struct job sweep;
	_Atomic bool sweeping; /* the job is the pool of threads' */
	uint64_t activity;     /* the job's: when malloc() was trimmed last */
};

void memory_init(struct memory *memory, const struct memory_config *config);

/* The functions to look at from now on; NULL: none. Any thread. */
void memory_set_generation(struct memory *memory,
			   struct generation *generation);

/* Begins to look, by jobs of @jobs, and ends it; on the main thread. */
void memory_start(struct memory *memory, struct jobs *jobs);
void memory_stop(struct memory *memory);

/* Its jobs have ended. */
void memory_done(struct memory *memory);

#endif
