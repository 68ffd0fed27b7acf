/*
 * memory.h - keeps the memory of vms within a bound, and gives back what nobody
 * needs.
 *
 *	memory_init(&memory, &config);
 *	memory_admit(&memory, generation);		before it is deployed
 *	memory_set_generation(&memory, generation);	when workers have it
 *	memory_start(&memory, builders, io);		on the main thread
 *	...
 *	memory_stop(&memory);		no timer fires, no sweep begins any more
 *	... offload_pool_free(builders);
 *	memory_done(&memory);
 *
 * A timer of the main thread begins a sweep, on a builder. The sweep frees the vms of all
 * functions that have been idle for long, but none of a function's concurrency.warm; has
 * those that have been idle for half as long give back the memory that they have of their
 * own; and has malloc() give back what requests have left.
 *
 * When the kernel says that memory is short, all idle vms but the warm ones give theirs
 * back. Each time that it goes on to say so, the older half of them is freed, or of the
 * warm ones once there are no others; and the warm ones give theirs back, too.
 *
 * A thread that makes a vm beyond the bound frees idle ones, or is refused; a boot also
 * frees warm vms of the function that it updates.
 */
#ifndef EXECUTOR_SERVER_MEMORY_H
#define EXECUTOR_SERVER_MEMORY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/machine_memory.h"
#include "base/offload.h"
#include "base/timers.h"
#include "executor/io/io.h"
#include "executor/server/generation.h"
#include "executor/server/metrics.h"
#include "snapshot/memory_budget.h"

struct memory_config {
	uint64_t max;	  /* bytes of snapshots and vms; 0: a share of all */
	uint64_t idle_ns; /* how long vms are kept that nobody uses */
	const char *root; /* see machine_memory() */
	struct timers *timers; /* the main thread's */
	struct metrics_server *metrics;
	const struct budget *buffers; /* what clients make it keep */
};

struct memory {
	struct memory_config config;
	struct memory_budget budget;
	pthread_mutex_t lock;	       /* of generation */
	struct generation *generation; /* held; whose vms are looked at */
	struct offload_pool *builders;
	struct timer timer;
	struct offload_work sweep;
	_Atomic bool sweeping; /* the sweep was pushed, or runs */
	uint64_t activity;     /* the sweep's: when malloc() was trimmed last */

	struct machine_pressure source;
	struct io_poll poll;	     /* of it */
	bool is_watched;	     /* there is such a source */
	_Atomic uint64_t pressed_ns; /* when the last sweep for it ended */
	_Atomic int pressure;	     /* enum memory_pressure, for the sweep */
};

void memory_init(struct memory *memory, const struct memory_config *config);

/* Sets the functions whose vms are looked at; NULL: none. Any thread. */
void memory_set_generation(struct memory *memory,
			   struct generation *generation);

/* Begins to sweep on threads of @builders, and stops. Main thread. */
void memory_start(struct memory *memory, struct offload_pool *builders,
		  struct io *io);
void memory_stop(struct memory *memory);

/* Memory is short: see above. Main thread. */
void memory_press(struct memory *memory);

void memory_done(struct memory *memory);

#endif
