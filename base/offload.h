/*
 * offload.h - threads for what would keep a worker from its connections: runs over
 * their inline budget, restores of many pages, new vms, deployments.
 *
 * Threads are started when they are needed, and end when they have had nothing to do
 * for OFFLOAD_IDLE_NS, but for one. Each job belongs to a
 * share, as a rule a function's. Shares take turns, and one share has a bounded
 * number of threads at a time: so whoever pushes many jobs, or long ones, waits
 * for its own. Any thread may push.
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

/* Embedded in what it is about; the pusher's until it runs. */
struct offload_work {
	void (*run)(struct offload_work *work);
	struct offload_work *next;
};

struct offload_config {
	unsigned threads;   /* at most; one is started at once */
	unsigned per_share; /* of these, for one share at a time */
	const char *name;   /* of a thread; static */
	int nice;	    /* at least; more than 0 yields to the workers */
	sigset_t blocked;   /* signals that its threads do not take */
};

int offload_pool_create(const struct offload_config *config, struct error *err,
			struct offload_pool **ret_jobs);

/* A new share, or NULL: no memory. To be used with one struct offload_pool. */
struct offload_share *offload_share_create(void);

/* Its owner pushes no more; it is freed after its last job. NULL is fine. */
void offload_share_release(struct offload_share *share);

/*
 * Runs @work on some thread: those of a share in the order of arrival. @share
 * NULL: of what belongs to no function. False: it has to wait, for a thread or
 * for its share of them.
 */
bool offload_push(struct offload_pool *pool, struct offload_share *share,
		  struct offload_work *work);

/*
 * Whether a job waits for a thread, or, for one of @share's, another job of @share:
 * for jobs of @share that can stop, and push themselves again.
 */
bool offload_is_waiting(struct offload_pool *pool,
			const struct offload_share *share);

/* How many threads there are, and how many run something. */
void offload_count(struct offload_pool *pool, unsigned *ret_threads,
		   unsigned *ret_busy);

/* Waits for everything that was pushed, and ends the threads. NULL is fine. */
void offload_pool_free(struct offload_pool *pool);

#endif
