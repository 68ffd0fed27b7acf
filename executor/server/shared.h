/*
 * shared.h - what all workers of a server share, and what they may ask of it.
 *
 * It is a part of struct server (server_state.h), which the files of a worker do
 * not know. The main thread fills it before workers start.
 */
#ifndef EXECUTOR_SERVER_SHARED_H
#define EXECUTOR_SERVER_SHARED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/offload.h"
#include "executor/server/clients.h"
#include "executor/server/deployment.h"
#include "executor/server/memory.h"
#include "executor/server/metrics.h"
#include "executor/server/readiness.h"
#include "executor/server/server_options.h"

struct worker;

struct shared {
	/* These do not change while workers run. */
	struct server_options options;
	struct offload_pool *offload;  /* runs over their inline budget */
	struct offload_pool *builders; /* build vms, and read catalogs */
	struct worker *workers;
	unsigned worker_count; /* without the main thread */
	uint64_t start_ns, start_unix_ms;

	/* Any thread uses these. */
	struct deployment_host host;
	struct metrics_server metrics;
	struct memory memory;	    /* of vms */
	_Atomic int state;	    /* enum server_state */
	struct budget buffers;	    /* what clients make the server keep */
	struct budget_share others; /* of it, requests for no function */
	struct clients clients;
	_Atomic uint64_t events; /* of all workers, accepted and not over */
	pthread_mutex_t readiness_lock;
	struct readiness readiness;
};

#endif
