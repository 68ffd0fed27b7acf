/*
 * offload.h - threads for what would keep a worker from its connections: runs over
 * their inline budget, restores of many pages, new vms, deployments.
 *
 * Threads are started when they are needed, and end when they have had nothing to do
 * for JOBS_IDLE_NS, but for one. Each job belongs to a
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

#define JOBS_IDLE_NS UINT64_C(2000000000)

struct jobs;
struct job_share;

/* Embedded in what it is about; the pusher's until it runs. */
struct job {
	void (*run)(struct job *job);
	struct job *next;
};

struct jobs_config {
	unsigned threads;   /* at most; one is started at once */
	unsigned per_share; /* of these, for one share at a time */
	const char *name;   /* of a thread; static */
	int nice;	    /* at least; more than 0 yields to the workers */
	sigset_t blocked;   /* signals that its threads do not take */
};

int jobs_create(const struct jobs_config *config, struct error *err,
		struct jobs **ret_jobs);

/* A new share, or NULL: no memory. To be used with one struct jobs. */
struct job_share *job_share_create(void);

/* Its owner pushes no more; it is freed after its last job. NULL is fine. */
void job_share_release(struct job_share *share);

/*
 * Runs @job on some thread: those of a share in the order of arrival. @share
 * NULL: of what belongs to no function. False: it has to wait, for a thread or
 * for its share of them.
 */
bool jobs_push(struct jobs *jobs, struct job_share *share, struct job *job);

/*
 * Whether a job waits for a thread, or, for one of @share's, another job of @share:
 * for jobs of @share that can stop, and push themselves again.
 */
bool jobs_are_waiting(struct jobs *jobs, const struct job_share *share);

/* How many threads there are, and how many run something. */
void jobs_count(struct jobs *jobs, unsigned *ret_threads, unsigned *ret_busy);

/* Waits for everything that was pushed, and ends the threads. NULL is fine. */
void jobs_free(struct jobs *jobs);

#endif
