/*
 * memory_budget.h - bounds the memory that the snapshots and vms of all functions
 * use, and the number of vms, since each takes open files.
 *
 * Whoever makes a vm takes as much as its guest may use, and gives it back once the
 * vm is freed. A boot takes as much, and gives back what the snapshot does not need.
 * What a Linux program has outside of guest memory is taken when it needs it.
 * Any thread. NULL is a budget without bounds, to all calls but init and done.
 */
#ifndef SNAPSHOT_MEMORY_BUDGET_H
#define SNAPSHOT_MEMORY_BUDGET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "snapshot/pause.h"

/* How long memory_budget_take() waits for vms that are being freed. */
#define MEMORY_BUDGET_FREEING_NS UINT64_C(1000000000)

struct memory_budget {
	uint64_t max;
	_Atomic uint64_t used;
	uint64_t vms_max; /* 0: as many as there is memory for */
	_Atomic uint64_t vms;
	/*
	 * Frees something that can be spared, for a boot or for a vm. False: there
	 * is nothing to spare. Slow.
	 */
	bool (*spare)(struct memory_budget *budget, bool for_boot);
	/* How long memory_budget_wait() waits for vms to be freed, if nobody boots. */
	uint64_t patience_ns;

	pthread_mutex_t lock; /* of the rest */
	pthread_cond_t changed;
	unsigned booting; /* boots under way, which may soon give back a lot */
	uint64_t boots;	  /* boots that have ended */
	unsigned freeing; /* vms that are being freed */
	uint64_t freed;	  /* vms that were freed */
};

/* Prepares a budget of @max bytes. @spare: see above; NULL if nothing can be spared. */
void memory_budget_init(struct memory_budget *budget, uint64_t max,
			bool (*spare)(struct memory_budget *budget,
				      bool for_boot));
/* Nobody uses or waits for the budget any more. */
void memory_budget_done(struct memory_budget *budget);

/*
 * Takes @size bytes. If there are not so many, it has others spare theirs and waits
 * for vms that are being freed. -EBUSY: that was not enough.
 */
int memory_budget_take(struct memory_budget *budget, uint64_t size,
		       struct error *err);

/*
 * The same for callers that do not wait, but have others spare theirs. -ENOMEM: that was
 * not enough.
 */
int memory_budget_take_now(struct memory_budget *budget, uint64_t size);

/*
 * The same for callers that may wait longer: it waits as long as boots are under
 * way, which give back a lot, and then for patience_ns. -ENOMEM: that was not
 * enough. It waits in steps of SNAPSHOT_PAUSE_NS and calls @pause before each step:
 * -ESHUTDOWN if that returns true.
 */
int memory_budget_wait(struct memory_budget *budget, uint64_t size,
		       const struct snapshot_pause *pause, struct error *err);

/*
 * Has others spare something for a vm. False: there is no budget, or nothing to spare.
 */
bool memory_budget_spare(struct memory_budget *budget);

/* Gives @size bytes back. */
void memory_budget_give(struct memory_budget *budget, uint64_t size);

/*
 * Takes one of the places for vms_max vms. If there is none, it has others spare
 * theirs. -EBUSY: that was not enough.
 */
int memory_budget_take_place(struct memory_budget *budget, struct error *err);
/* Gives a place back. */
void memory_budget_give_place(struct memory_budget *budget);

/*
 * Gives @size bytes of a vm back, which takes time to free: the first call is made
 * before others miss the vm, the second once it is freed. In between,
 * memory_budget_take() waits for it.
 */
void memory_budget_freeing(struct memory_budget *budget);
void memory_budget_freed(struct memory_budget *budget, uint64_t size);

/*
 * Takes @size bytes for a boot, as memory_budget_wait() does; and gives them back
 * when the boot has ended, except for the @kept bytes of its snapshot.
 */
int memory_budget_boot(struct memory_budget *budget, uint64_t size,
		       const struct snapshot_pause *pause, struct error *err);
void memory_budget_booted(struct memory_budget *budget, uint64_t size,
			  uint64_t kept);

/*
 * The bytes of a budget that a snapshot keeps, for as long as anybody has its memory.
 * Whoever makes one holds it. The last one to release it gives the bytes back.
 */
struct memory_kept {
	_Atomic unsigned holders;
	struct memory_budget *budget;
	uint64_t bytes; /* set before another one holds it */
};

/* Of 0 bytes. NULL: there is no memory for it. */
struct memory_kept *memory_kept_create(struct memory_budget *budget);

/*
 * memory_budget_booted(), where @kept has the @bytes of the snapshot from then on, at most
 * @size.
 */
void memory_kept_booted(struct memory_kept *kept, uint64_t size,
			uint64_t bytes);

/* One more holds @kept, which is returned. NULL is fine. */
struct memory_kept *memory_kept_hold(struct memory_kept *kept);

/* NULL is fine. */
void memory_kept_release(struct memory_kept *kept);

#endif
