/*
 * server_limits.h - what a server allows, by default and at most. thaw(1) has these
 * limits, with the options that change them.
 */
#ifndef EXECUTOR_SERVER_SERVER_LIMITS_H
#define EXECUTOR_SERVER_SERVER_LIMITS_H

#include "base/units.h"

#define SERVER_WORKERS_MAX 256

/*
 * Threads of the offload pool, for runs over the inline budget: by default so many
 * for each CPU. One function has half of them at most, so that others find one.
 */
#define SERVER_OFFLOAD_PER_CPU 4
#define SERVER_OFFLOAD_MAX 4096

/* A run on such a thread stops after this time if others wait for one. */
#define SERVER_OFFLOAD_SLICE_NS (10 * UNITS_MS)

/*
 * These threads yield to the workers, and so do the builders of vms: what takes long
 * can take a little longer. One function has so many builders at most.
 */
#define SERVER_OFFLOAD_NICE 10
#define SERVER_BUILDERS_MAX 16
#define SERVER_BUILDERS_PER_FUNCTION 4

/*
 * What a worker does for one invocation besides its slice: so many half slices more
 * while other threads have used the CPU, so many bytes of a vm that it copies back,
 * and so many bytes of a request or a reply that it copies or checks; of a typed call
 * or a typed result, so many that it converts.
 */
#define SERVER_INLINE_MORE 4
#define SERVER_INLINE_RESTORE (4 * UNITS_MIB)
#define SERVER_INLINE_BYTES (1 * UNITS_MIB)
#define SERVER_INLINE_TYPED (64 * UNITS_KIB)

/*
 * Boots that run at once; boots that have begun, and take turns; of these, boots of
 * functions whose last one failed. They yield to the workers, too, but less.
 */
#define SERVER_BOOTS_NICE 5
#define SERVER_BOOTS_MAX 16
#define SERVER_BOOTS_BEGUN_MAX 256
#define SERVER_BOOTS_SUSPECT_MAX 128
/* Log lines about boots, after one for each function; and about snapshots not written. */
#define SERVER_BOOT_LINES_PER_SECOND 100
#define SERVER_STORE_LINES_BURST 100
/* How often a file of the store is verified again, the next one each time. */
#define SERVER_SCRUB_INTERVAL (60 * UNITS_S)

/*
 * Functions that may be loaded because of their invocations, so that neither their
 * descriptors nor their mappings run out: by default a quarter of the descriptors that vms
 * would have otherwise, and of the mappings that a process may have (vm.max_map_count),
 * of which each takes about so many. From the first share of that on, functions are
 * unloaded until the second is left.
 */
#define SERVER_LOADED_MAX 4096
/*
 * How long a load waits until others are unloaded, how often it looks, and after how many
 * looks it asks again.
 */
#define SERVER_LOADED_PATIENCE_NS (500 * UNITS_MS)
#define SERVER_LOADED_LOOK_NS (1 * UNITS_MS)
#define SERVER_LOADED_LOOKS 64
#define SERVER_LOADED_PART 4
#define SERVER_MAPPINGS_PER_FUNCTION 10
#define SERVER_MAPPINGS_DEFAULT 65530
/*
 * No more vms are made than there are mappings for: each takes about so many, four more if
 * its function has a base. One part is for all else.
 */
#define SERVER_MAPPINGS_PER_VM 10
#define SERVER_MAPPINGS_PART 4
#define SERVER_LOADED_CROWDED(max) ((max) - (max) / 4)
#define SERVER_LOADED_KEPT(max) ((max) - (max) / 2)
/*
 * Without memory for a vm, or to load a function, half of those are unloaded that nobody
 * has invoked for so long; at most once in that time.
 */
#define SERVER_UNUSED_NS (1 * UNITS_S)

/* How long an invocation waits until its function is loaded; then queue_timeout begins. */
#define SERVER_LOAD_WAIT_NS (10 * UNITS_S)

/* While functions are booted, all are summed up in one part of the time in so many. */
#define SERVER_SUM_UP_SHARE 10

/* The answer to a reload waits so long for boots, and then says what is pending. */
#define SERVER_RELOAD_WAIT_NS (5 * UNITS_S)

/* Functions that /readyz names; bytes of the reason of each, with the zero. */
#define SERVER_CHECKS_MAX 16
#define SERVER_CHECK_REASON_MAX 256

/*
 * Connections. The default is lower if the limit of open files (RLIMIT_NOFILE) is.
 */
#define SERVER_CONNECTIONS_DEFAULT 16384
#define SERVER_CONNECTIONS_MAX 1000000
/* So many more for the admin listener. */
#define SERVER_ADMIN_CONNECTIONS 64
/* Of these, the metrics listeners have so many at most: their answers are large. */
#define SERVER_METRICS_CONNECTIONS 16

/* Open files the server keeps for itself, for vms and for shells, of that limit. */
#define SERVER_FILES_RESERVED 256

/* There are shells made ahead only if the limit is so many times that with them. */
#define SERVER_FILES_SHELLS 3

/* Open files that a vm takes; no more vms are built than there are files for. */
#define SERVER_FILES_PER_VM 2

/* Shells that are made ahead, for functions that need a new vm: see vm/fresh_shells.h. */
#define SERVER_SHELLS_DEFAULT 16
#define SERVER_SHELLS_MAX 1024

/* From the first byte of a request to the last of its head, of its body. */
#define SERVER_HEAD_TIMEOUT_DEFAULT (10 * UNITS_S)
#define SERVER_BODY_TIMEOUT_DEFAULT (60 * UNITS_S)
/* Between requests. */
#define SERVER_IDLE_TIMEOUT_DEFAULT (75 * UNITS_S)
/* Until the client has taken its reply. */
#define SERVER_SEND_TIMEOUT_DEFAULT (60 * UNITS_S)
#define SERVER_TIMEOUT_MAX (60 * UNITS_M)

/* How long a connection stays after an answer to a request not read to its end. */
#define SERVER_LINGER_NS (1 * UNITS_S)

/*
 * How long those are waited for when the server drains who are half connected, at most
 * half of the drain timeout: the answer to one of them may be lost once, and is repeated
 * after a second. And how often it looks.
 */
#define SERVER_HALF_OPEN_NS (2 * UNITS_S)
#define SERVER_HALF_OPEN_LOOK_NS (10 * UNITS_MS)

/* How long a connection without a request stays when the server drains. */
#define SERVER_DRAIN_IDLE_NS (500 * UNITS_MS)

/* Bodies for paths that are no function's. */
#define SERVER_BODY_MAX (1 * UNITS_MIB)

/*
 * Bytes that clients make the server keep: requests, replies, events, and what has
 * come ahead of its turn. Beyond that, new requests are refused, and so are replies
 * that are not small. budget.h says how it is shared.
 */
#define SERVER_REPLY_SMALL (64 * UNITS_KIB)
#define SERVER_BUFFERED_DEFAULT (512 * UNITS_MIB)
#define SERVER_BUFFERED_MAX (1024 * UNITS_GIB)

/*
 * Memory of all snapshots and vms: by default, so many percent of what the machine
 * or the cgroup has. The rest is for requests and replies, for the kernel's part of
 * vms, and for other processes.
 */
#define SERVER_MEMORY_PERCENT 80
#define SERVER_MEMORY_MAX (1024 * 1024 * UNITS_GIB)

/*
 * How long a boot waits for memory while no other boot is under way: until vms are
 * freed that are busy, or of functions that have been removed.
 */
#define SERVER_MEMORY_PATIENCE_NS (10 * UNITS_S)

/* Pressure that comes again within this time counts as going on. */
#define SERVER_PRESSURE_GOES_ON_NS (10 * UNITS_S)

/* The part of --vm-idle-timeout after which a vm gives back its memory. */
#define SERVER_SHRINK_PART 2
/*
 * How long idle vms are kept beyond concurrency.warm. They are looked at so many
 * times meanwhile, with these bounds for the time in between.
 */
#define SERVER_VM_IDLE_DEFAULT (60 * UNITS_S)
#define SERVER_VM_IDLE_MAX (1440 * UNITS_M)
#define SERVER_SWEEPS_WHILE_IDLE 4
#define SERVER_SWEEP_LEAST_NS (10 * UNITS_MS)
#define SERVER_SWEEP_MOST_NS (10 * UNITS_S)

/* Freed memory that malloc() may keep for requests to come, roughly. */
#define SERVER_HEAP_FREE_MAX (16 * UNITS_MIB)

/*
 * Event invocations that are accepted and not over, of which a single function may
 * have about half (event_line.h); and bytes of the payload of one.
 */
#define SERVER_EVENTS_DEFAULT 2000
#define SERVER_EVENTS_MAX 1000000
#define SERVER_EVENT_PAYLOAD_MAX (1 * UNITS_MIB)
#define SERVER_EVENT_RETRIES_DEFAULT 2
#define SERVER_EVENT_RETRIES_MAX 10
#define SERVER_EVENT_AGE_DEFAULT (360 * UNITS_M)
#define SERVER_EVENT_AGE_MAX (1440 * UNITS_M)

/* How long invocations and requests may go on when the server is told to end. */
#define SERVER_DRAIN_TIMEOUT_DEFAULT (30 * UNITS_S)

#endif
