/*
 * jobs.h - threads for what would keep a worker from its connections: runs over
 * their inline budget, new vms, deployments.
 *
 * Threads are started when they are needed and kept. Any thread may push.
 */
#ifndef EXECUTOR_SERVER_JOBS_H
#define EXECUTOR_SERVER_JOBS_H

#include <stddef.h>

#include "vm/error.h"

struct jobs;

/* Embedded in what it is about; the pusher's until it runs. */
struct job {
	void (*run)(struct job *job);
	struct job *next;
};

/*
 * Creates up to @threads threads, one at once, of the niceness @nice: 0, or more
 * for those that are to yield to the workers.
 */
int jobs_create(unsigned threads, int nice, struct error *err,
		struct jobs **ret_jobs);

/* Runs @job on some thread, in the order of arrival; it may wait for one. */
void jobs_push(struct jobs *jobs, struct job *job);

/* How many threads there are, and how many run something. */
void jobs_count(struct jobs *jobs, unsigned *ret_threads, unsigned *ret_busy);

/* Waits for everything that was pushed, and ends the threads. NULL is fine. */
void jobs_free(struct jobs *jobs);

#endif
