/*
 * view.h - the server at one moment, for those who describe it: the admin API, the
 * read-only operations of Lambda's API, the metrics.
 *
 * The server makes a view for one request. Everything in it is borrowed until that
 * is answered.
 */
#ifndef EXECUTOR_PROTOCOL_VIEW_H
#define EXECUTOR_PROTOCOL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/catalog.h"
#include "executor/libthaw.h"

struct declarations;
struct metrics_function;
struct metrics_server;

enum function_state {
	FUNCTION_PENDING, /* being booted */
	FUNCTION_ACTIVE,
	FUNCTION_FAILED, /* see reason */
};

/* The state of the version that is to replace an active function. */
enum function_update {
	UPDATE_NONE, /* there is none */
	UPDATE_PENDING,
	UPDATE_FAILED, /* see reason; the old version stays */
};

struct function_view {
	const struct catalog_function *spec;
	const struct metrics_function *metrics;
	enum function_state state;
	enum function_update update;
	const char *reason; /* why the function or its update failed, or "" */
	int failure;	    /* the -errno of that, or 0 */

	/* If it is active: */
	uint64_t deployed_unix_ms;
	uint64_t boot_ns;
	uint64_t image_bytes;
	const char *image_sha256; /* 64 hexadecimal digits */
	/* NULL: none is deployed */
	const struct declarations *functions; /* typed */
	const struct declarations *imports;
	uint64_t snapshot_bytes; /* of memory, shared by all vms */
	bool is_loaded;		 /* false: the first invocation loads it */
	bool is_stored;		 /* the snapshot is from the store */
	const char *not_stored;	 /* why not, though it should be; or "" */
	unsigned vms_idle, vms_busy;
	unsigned queued; /* invocations that wait for a vm */
	struct thaw_stats stats;
};

/* How many functions are in which state. */
struct function_counts_view {
	unsigned total, active, pending, failed;
	unsigned outdated; /* of the active: with an update, which may have failed */
	unsigned booting;	   /* pending, or their update is */
	unsigned critical_missing; /* not active, and critical */
};

enum server_state {
	SERVER_STARTING, /* only the admin listener takes connections */
	SERVER_SERVING,
	SERVER_DRAINING,
};

struct server_view {
	enum server_state state;
	const char *catalog_path;
	const char *catalog_sha256; /* of the file's bytes; hexadecimal */
	uint64_t generation;	    /* 1, and one more for each reload */
	uint64_t start_unix_ms, uptime_ms;
	unsigned workers;
	unsigned offload_threads, offload_busy;
	const char *io;			    /* "io_uring" or "epoll" */
	unsigned events_queued, events_max; /* Event invocations */
	uint64_t events_oldest_ms;	    /* age of the oldest, or 0 */
	uint64_t max_connections;
	uint64_t buffered, max_buffered; /* bytes of requests and replies */
	uint64_t memory, max_memory;	 /* bytes of vms and snapshots */
	const char *pressure;		 /* the file that reports it, or "" */
	const char *last_reload_error;	 /* or "" */
	uint64_t log_dropped;		 /* lines */
	const struct metrics_server *metrics;
	const struct function_view *functions; /* in the catalog's order */
	size_t count;
};

#endif
