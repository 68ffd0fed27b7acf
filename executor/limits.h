/*
 * limits.h - what a catalog may ask for: least, most and default.
 *
 * Least and most are accepted themselves. The defaults and ranges are repeated for
 * editors in config/catalog.schema.json; tests keep the two in step.
 */
#ifndef EXECUTOR_LIMITS_H
#define EXECUTOR_LIMITS_H

#include "base/units.h"

/* The catalog file, in bytes, and the functions in it. */
#define CATALOG_FILE_MAX (16 * UNITS_MIB)
#define CATALOG_FUNCTIONS_MAX 10000

/* Guest memory, all of it; a multiple of LIMIT_MEMORY_STEP. */
#define LIMIT_MEMORY_MIN (2 * UNITS_MIB)
#define LIMIT_MEMORY_MAX (1 * UNITS_GIB)
#define LIMIT_MEMORY_DEFAULT (16 * UNITS_MIB)
#define LIMIT_MEMORY_STEP (64 * UNITS_KIB)

/*
 * What guest memory must hold besides stack, request window and reply window:
 * thaw's own pages, the page tables, and the image.
 */
#define LIMIT_MEMORY_REST (1 * UNITS_MIB)

/* The guest's stack. */
#define LIMIT_STACK_MIN (16 * UNITS_KIB)
#define LIMIT_STACK_MAX (64 * UNITS_MIB)
#define LIMIT_STACK_DEFAULT (256 * UNITS_KIB)

/* Request and reply; a window is never less than one page. */
#define LIMIT_REQUEST_MIN (4 * UNITS_KIB)
#define LIMIT_REQUEST_MAX (64 * UNITS_MIB)
#define LIMIT_REQUEST_DEFAULT (1 * UNITS_MIB)
#define LIMIT_REPLY_MIN (4 * UNITS_KIB)
#define LIMIT_REPLY_MAX (64 * UNITS_MIB)
#define LIMIT_REPLY_DEFAULT (1 * UNITS_MIB)

/* One invocation. */
#define LIMIT_TIMEOUT_MIN (1 * UNITS_MS)
#define LIMIT_TIMEOUT_MAX (15 * UNITS_M)
#define LIMIT_TIMEOUT_DEFAULT (1 * UNITS_S)

/* Boot and init, until the guest is ready. */
#define LIMIT_INIT_TIMEOUT_MIN (1 * UNITS_MS)
#define LIMIT_INIT_TIMEOUT_MAX (15 * UNITS_M)
#define LIMIT_INIT_TIMEOUT_DEFAULT (30 * UNITS_S)

/* How long a run may keep a worker of the server from serving others. */
#define LIMIT_INLINE_BUDGET_MIN (50 * UNITS_US)
#define LIMIT_INLINE_BUDGET_MAX (1 * UNITS_S)
#define LIMIT_INLINE_BUDGET_DEFAULT (500 * UNITS_US)

/*
 * Invocations of one function that run at the same time, each in a vm of its own.
 * The default is LIMIT_CONCURRENCY_DEFAULT or LIMIT_CONCURRENCY_PER_CPU for each CPU,
 * whichever is more.
 */
#define LIMIT_CONCURRENCY_MIN 1
#define LIMIT_CONCURRENCY_MAX 4096
#define LIMIT_CONCURRENCY_DEFAULT 16
#define LIMIT_CONCURRENCY_PER_CPU 4

/* Vms kept although idle; no more than the function's concurrency. */
#define LIMIT_WARM_MIN 0
#define LIMIT_WARM_MAX LIMIT_CONCURRENCY_MAX
#define LIMIT_WARM_DEFAULT 0

/*
 * Invocations that wait for a vm, and for how long; 0: none waits. Usually the time
 * is what limits waiting. Refusing a request costs nearly as much as running it, so a
 * server that refuses many serves few.
 */
#define LIMIT_QUEUE_MIN 0
#define LIMIT_QUEUE_MAX 65536
#define LIMIT_QUEUE_DEFAULT 16384
#define LIMIT_QUEUE_TIMEOUT_MIN (1 * UNITS_MS)
#define LIMIT_QUEUE_TIMEOUT_MAX (15 * UNITS_M)
#define LIMIT_QUEUE_TIMEOUT_DEFAULT (1 * UNITS_S)

/* Arguments, or the result, of one call of a host function. */
#define LIMIT_HOST_SIZE_MIN (4 * UNITS_KIB)
#define LIMIT_HOST_SIZE_MAX (64 * UNITS_MIB)
#define LIMIT_HOST_SIZE_DEFAULT (64 * UNITS_KIB)

/* Entries of host.allow; bytes of names and values in host.config, without spaces. */
#define LIMIT_HOST_ALLOW_MAX 64
#define LIMIT_HOST_CONFIG_MAX (256 << 10)
/* Members of host.secrets; bytes of one. */
#define LIMIT_HOST_SECRETS_MAX 64
#define LIMIT_HOST_SECRET_MAX (64 << 10)

/* How often a program answers its warm_input before the snapshot. */
#define LIMIT_WARM_INPUT_MIN 1
#define LIMIT_WARM_INPUT_MAX 10000
#define LIMIT_WARM_INPUT_DEFAULT 1

/* What a Linux program may write to /tmp and /dev/shm. */
#define LIMIT_TMP_MIN (4 * UNITS_KIB)
#define LIMIT_TMP_MAX (1 * UNITS_GIB)
#define LIMIT_TMP_DEFAULT (16 * UNITS_MIB)

/* Names are counted in bytes, texts in characters. */
#define LIMIT_NAME_MAX 64
#define LIMIT_IMAGE_MAX 4095
#define LIMIT_ARGUMENTS_MAX 1024
#define LIMIT_FILES_MAX 256
#define LIMIT_DESCRIPTION_MAX 1024
#define LIMIT_LABELS_MAX 64
#define LIMIT_LABEL_NAME_MAX 63
#define LIMIT_LABEL_VALUE_MAX 255

#endif
