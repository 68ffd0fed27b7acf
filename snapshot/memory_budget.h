/*
 * memory_budget.h - bounds the memory of snapshots and vms, of all functions; and
 * the number of vms, which take open files.
 *
 * Who makes a vm takes what its guest may use; it is given back when the vm is
 * freed. Booting takes as much, and gives back what the snapshot does not need.
 * Any thread.
 */
#ifndef SNAPSHOT_MEMORY_BUDGET_H
#define SNAPSHOT_MEMORY_BUDGET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "snapshot/pause.h"

/* How long who makes a vm waits for ones that are being freed. */
#define MEMORY_BUDGET_FREEING_NS UINT64_C(1000000000)

struct memory_budget {
	uint64_t max;
	_Atomic uint64_t used;
	uint64_t vms_max; /* 0: as many as there is memory for */
	_Atomic uint64_t vms;
	/*
	 * Frees something that can be spared, for a boot or for a vm; false: there
	 * is nothing. Slow.
	 */
	bool (*spare)(struct memory_budget *budget, bool for_boot);
	/* How long who may wait does while nobody boots: for vms to be freed. */
	uint64_t patience_ns;

	pthread_mutex_t lock; /* of the rest */
	pthread_cond_t changed;
	unsigned booting; /* who may soon give back a lot */
	uint64_t boots;	  /* that have ended */
	unsigned freeing; /* vms that others can use no more */
	uint64_t freed;	  /* vms */
};

void memory_budget_init(struct memory_budget *budget, uint64_t max,
			bool (*spare)(struct memory_budget *budget,
				      bool for_boot));
void memory_budget_done(struct memory_budget *budget);

/*
 * Takes @size bytes, having others spare theirs if need be, and waiting for what is
 * being freed. -EBUSY: there are not so many. NULL is a budget without a bound.
 */
int memory_budget_take(struct memory_budget *budget, uint64_t size,
		       struct error *err);

/*
 * The same for who may wait: as long as boots are under way, which give back a
 * lot, and then for patience_ns. -ENOMEM: nothing came of it. It waits in steps of
 * SNAPSHOT_PAUSE_NS, and calls @pause before each: -ESHUTDOWN if that says so.
 */
int memory_budget_wait(struct memory_budget *budget, uint64_t size,
		       const struct snapshot_pause *pause, struct error *err);

void memory_budget_give(struct memory_budget *budget, uint64_t size);

/*
 * A vm's place among vms_max, having others spare theirs if need be. -EBUSY: there
 * is none. NULL is a budget without a bound.
 */
int memory_budget_take_place(struct memory_budget *budget, struct error *err);
void memory_budget_give_place(struct memory_budget *budget);

/* The same for a vm that takes time to free: before nobody can have it, and after. */
void memory_budget_freeing(struct memory_budget *budget);
void memory_budget_freed(struct memory_budget *budget, uint64_t size);

/* The same for a boot, of which @kept bytes are not given back when it ends. */
int memory_budget_boot(struct memory_budget *budget, uint64_t size,
		       const struct snapshot_pause *pause, struct error *err);
void memory_budget_booted(struct memory_budget *budget, uint64_t size,
			  uint64_t kept);

#endif
