/*
 * metrics.h - the counters of a function's invocations, and those of the server.
 *
 * Any thread counts, at any time, without a lock: relaxed atomics. A function
 * keeps its counts when the catalog is reloaded.
 */
#ifndef EXECUTOR_SERVER_METRICS_H
#define EXECUTOR_SERVER_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * Upper bounds of the buckets of all durations, in microseconds: 5 us to 10 s;
 * one more bucket is for longer ones.
 */
#define METRICS_BUCKETS 20
extern const uint32_t metrics_bounds_us[METRICS_BUCKETS];

struct metrics_histogram {
	_Atomic uint64_t buckets[METRICS_BUCKETS + 1];
	_Atomic uint64_t sum_ns;
};

/* The labels "outcome" and "phase", in these orders. */
enum metrics_outcome {
	METRICS_OK,
	METRICS_FUNCTION_ERROR,
	METRICS_TIMEOUT,
	METRICS_CRASH,
	METRICS_OOM,
	METRICS_TOO_LARGE, /* the request or the reply */
	METRICS_THROTTLED, /* queue full, or queue_timeout */
	METRICS_REFUSED,   /* the request, or the typed call in it, is wrong */
	/* thaw failed, the function is not deployed, or its client has gone */
	METRICS_FAILED,
	METRICS_OUTCOMES,
};

/* The label "start": the vm was there, or was built from the snapshot for it. */
enum metrics_start {
	METRICS_WARM,
	METRICS_SNAPSHOT,
	METRICS_STARTS,
};

/* Why a vm was freed; the label "reason", in this order. */
enum metrics_trim {
	METRICS_TRIM_IDLE,     /* nobody used it for long */
	METRICS_TRIM_PRESSURE, /* the kernel said that memory is short */
	METRICS_TRIM_LIMIT,    /* another one was built instead */
	METRICS_TRIMS,
};

enum metrics_phase {
	METRICS_QUEUE,	 /* until a vm was free */
	METRICS_RUN,	 /* request to end of the run */
	METRICS_RESTORE, /* until the vm was clean again */
	METRICS_PHASES,
};

struct metrics_function {
	_Atomic uint64_t outcomes[METRICS_OUTCOMES];
	_Atomic uint64_t starts[METRICS_STARTS];
	_Atomic uint64_t exits;		   /* of the vcpus, during runs */
	struct metrics_histogram duration; /* whole: queue and run */
	struct metrics_histogram phases[METRICS_PHASES];
	_Atomic uint64_t restores, copied_bytes;
	_Atomic uint64_t boots, boot_failures; /* snapshots made */
	_Atomic uint64_t inflight;	       /* invocations that run */
	/* invocations popped from workers' queues while its own waited, and these */
	_Atomic uint64_t turns;
	/* times it waited for a thread of the offload pool; restores on one */
	_Atomic uint64_t thread_waits, restores_offloaded;
	_Atomic uint64_t log_lines, log_dropped;
	/* Event invocations: in the queue; begun again; given up. */
	_Atomic uint64_t events_pending, events_retried, events_dropped;
	_Atomic uint64_t events_accepted, events_done;
};

/* What the server counts besides functions. */
struct metrics_server {
	_Atomic uint64_t connections; /* open now */
	_Atomic uint64_t connections_total, connections_refused;
	_Atomic uint64_t requests_total, bad_requests_total;
	_Atomic uint64_t accept_errors_total;
	_Atomic uint64_t offloaded_total; /* runs over the inline budget */
	_Atomic uint64_t stolen_total;	  /* runs given to an idle worker */
	_Atomic uint64_t reloads_total, reload_failures_total;
	_Atomic uint64_t last_reload_unix_s; /* successful */
	_Atomic uint64_t last_reload_ok;     /* 0 or 1 */
	_Atomic uint64_t vms_trimmed[METRICS_TRIMS];
	_Atomic uint64_t vms_shrunk_total;
};

void metrics_observe(struct metrics_histogram *histogram, uint64_t ns);

static inline void metrics_add(_Atomic uint64_t *counter, uint64_t count)
{
	atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static inline void metrics_subtract(_Atomic uint64_t *counter, uint64_t count)
{
	atomic_fetch_sub_explicit(counter, count, memory_order_relaxed);
}

static inline uint64_t metrics_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* "ok", "function_error", ...; "queue", ... */
const char *metrics_outcome_name(enum metrics_outcome outcome);
const char *metrics_phase_name(enum metrics_phase phase);
const char *metrics_trim_name(enum metrics_trim trim);

#endif
