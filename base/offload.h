/*
 * offload.h - a pool of threads for work that would keep its caller waiting.
 *
 * Threads start when they are needed. A thread that has had no work for
 * OFFLOAD_IDLE_NS ends; one always stays. Work belongs to a share, which stands
 * for one user of the pool. Shares take turns, and a share has a bounded number
 * of threads at a time: a user that pushes much work, or long work, waits for
 * its own. Any thread may push.
 */
#ifndef BASE_OFFLOAD_H
#define BASE_OFFLOAD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define OFFLOAD_IDLE_NS UINT64_C(2000000000)

struct offload_pool;
struct offload_share;

/*
 * One piece of work, embedded in what it is about. From offload_push() until
 * @run is called it is the pool's; then the pool does not touch it again.
 */
struct offload_work {
	void (*run)(struct offload_work *work);
	struct offload_work *next; /* the pool's */
};

struct offload_config {
	unsigned threads;   /* at most; one is started at once */
	unsigned per_share; /* of these, for one share at a time */
	const char *name;   /* of a thread; static */
	int nice;	    /* at least; above 0 they yield to other threads */
	sigset_t blocked;   /* signals that its threads do not take */
};

/* Starts one thread. Returns 0 and a pool, which the caller frees, or -errno. */
int offload_pool_create(const struct offload_config *config, struct error *err,
			struct offload_pool **ret_pool);

/* Returns a share, to be used with one pool; NULL if there is no memory. */
struct offload_share *offload_share_create(void);

/* Its owner pushes no more work. It is freed after its last work. NULL is fine. */
void offload_share_release(struct offload_share *share);

/*
 * Has a thread run @work. Work of one share starts in the order of arrival. With
 * @share NULL the work belongs to no user and is not bounded. Returns false if
 * the work has to wait, for a thread or for its share of them.
 */
bool offload_push(struct offload_pool *pool, struct offload_share *share,
		  struct offload_work *work);

/*
 * Returns whether work waits for a thread, or other work of @share waits for its
 * turn. For work that can stop and push itself again.
 */
bool offload_is_waiting(struct offload_pool *pool,
			const struct offload_share *share);

/* Counts the threads, and those that run something. */
void offload_count(struct offload_pool *pool, unsigned *ret_threads,
		   unsigned *ret_busy);

/* Waits until all work has run, and ends the threads. NULL is fine. */
void offload_pool_free(struct offload_pool *pool);

#endif
