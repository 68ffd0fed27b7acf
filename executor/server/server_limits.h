/*
 * server_limits.h - what a server allows, by default and at most. They are
 * in thaw(1), with the options that change them.
 */
#ifndef EXECUTOR_SERVER_SERVER_LIMITS_H
#define EXECUTOR_SERVER_SERVER_LIMITS_H

#include "base/units.h"

#define SERVER_WORKERS_MAX 256

/*
 * Threads for what is over the inline budget: by default so many for each CPU. Of
 * these, one function has half, so that no function waits for a thread for want
 * of another one's leave.
 */
#define SERVER_OFFLOAD_PER_CPU 4
#define SERVER_OFFLOAD_MAX 4096

/* A job that is not over after this time stops if others wait for a thread. */
#define SERVER_OFFLOAD_SLICE_NS (10 * UNITS_MS)

/*
 * They yield to the workers: who takes long can take a little longer. So do
 * threads that make vms, of which one function has so many.
 */
#define SERVER_OFFLOAD_NICE 10
#define SERVER_BUILDERS_MAX 16
#define SERVER_BUILDERS_PER_FUNCTION 4

/*
 * What a worker does for one invocation besides its slice: half slices more while
 * others have used the CPU, bytes that are copied back, and bytes of a request or a
 * reply that are copied or checked.
 */
#define SERVER_INLINE_MORE 4
#define SERVER_INLINE_RESTORE (4 * UNITS_MIB)
#define SERVER_INLINE_BYTES (1 * UNITS_MIB)

/*
 * Boots that run at once; that have begun, and take turns; of these, ones whose
 * last boot failed. They yield to the workers, too, though not as much.
 */
#define SERVER_BOOTS_NICE 5
#define SERVER_BOOTS_MAX 16
#define SERVER_BOOTS_BEGUN_MAX 256
#define SERVER_BOOTS_SUSPECT_MAX 128
/* Lines of the log about boots, once there was one for each function. */
#define SERVER_BOOT_LINES_PER_SECOND 100

/* How long the answer to a reload waits for boots: then it says what is pending. */
#define SERVER_RELOAD_WAIT_NS (5 * UNITS_S)

/* Functions that /readyz names, and bytes of why, the zero included. */
#define SERVER_CHECKS_MAX 16
#define SERVER_CHECK_REASON_MAX 256

/*
 * Connections; the default is less where the limit of open files (RLIMIT_NOFILE)
 * is.
 */
#define SERVER_CONNECTIONS_DEFAULT 16384
#define SERVER_CONNECTIONS_MAX 1000000
/* Beyond those, for the admin listener. */
#define SERVER_ADMIN_CONNECTIONS 64
/* Of the metrics listener, at most: its answers are large. */
#define SERVER_METRICS_CONNECTIONS 16

/* Open files the server keeps for itself and for vms, of that limit. */
#define SERVER_FILES_RESERVED 256

/* What a vm takes of them: beyond the others', no more vms are made. */
#define SERVER_FILES_PER_VM 2

/* From the first byte of a request to the last of its head, of its body. */
#define SERVER_HEAD_TIMEOUT_DEFAULT (10 * UNITS_S)
#define SERVER_BODY_TIMEOUT_DEFAULT (60 * UNITS_S)
/* Between requests. */
#define SERVER_IDLE_TIMEOUT_DEFAULT (75 * UNITS_S)
/* For the client to take its reply. */
#define SERVER_SEND_TIMEOUT_DEFAULT (60 * UNITS_S)
#define SERVER_TIMEOUT_MAX (60 * UNITS_M)

/* After an answer to a request that was not read to its end. */
#define SERVER_LINGER_NS (1 * UNITS_S)

/* How long a connection without a request stays when the server drains. */
#define SERVER_DRAIN_IDLE_NS (500 * UNITS_MS)

/* Bodies for paths that are no function's. */
#define SERVER_BODY_MAX (1 * UNITS_MIB)

/*
 * What clients make the server keep: requests, replies, events, bytes ahead of
 * their turn. Beyond, new requests are refused, and so are replies, but small ones.
 * See budget.h for how it is shared.
 */
#define SERVER_REPLY_SMALL (64 * UNITS_KIB)
#define SERVER_BUFFERED_DEFAULT (512 * UNITS_MIB)
#define SERVER_BUFFERED_MAX (1024 * UNITS_GIB)

/*
 * Memory of snapshots and vms, in all: of what the machine or the cgroup has, so
 * much is theirs if nothing else is said. The rest is for requests and replies,
 * the kernel's part of vms, and others.
 */
#define SERVER_MEMORY_PERCENT 80
#define SERVER_MEMORY_MAX (1024 * 1024 * UNITS_GIB)

/*
 * How long a boot waits for memory while no other boot is under way: for vms of
 * functions that have been removed, or that are busy.
 */
#define SERVER_MEMORY_PATIENCE_NS (10 * UNITS_S)

/* Pressure that comes again within this time goes on. */
#define SERVER_PRESSURE_GOES_ON_NS (10 * UNITS_S)

/*
 * How long vms are kept that nobody uses, above concurrency.warm; they are looked
 * at so many times meanwhile, or as seldom or often as said here.
 */
#define SERVER_VM_IDLE_DEFAULT (60 * UNITS_S)
#define SERVER_VM_IDLE_MAX (1440 * UNITS_M)
#define SERVER_SWEEPS_WHILE_IDLE 4
#define SERVER_SWEEP_LEAST_NS (10 * UNITS_MS)
#define SERVER_SWEEP_MOST_NS (10 * UNITS_S)

/* Freed memory that malloc() keeps, more or less, for requests to come. */
#define SERVER_HEAP_FREE_MAX (16 * UNITS_MIB)

/*
 * Event invocations that are accepted and not over: a single function may have
 * about half of them (event_line.h). Their payload.
 */
#define SERVER_EVENTS_DEFAULT 2000
#define SERVER_EVENTS_MAX 1000000
#define SERVER_EVENT_PAYLOAD_MAX (1 * UNITS_MIB)
#define SERVER_EVENT_RETRIES_DEFAULT 2
#define SERVER_EVENT_RETRIES_MAX 10
#define SERVER_EVENT_AGE_DEFAULT (360 * UNITS_M)
#define SERVER_EVENT_AGE_MAX (1440 * UNITS_M)

/* For what is under way when the server is told to end. */
#define SERVER_DRAIN_TIMEOUT_DEFAULT (30 * UNITS_S)

#endif
