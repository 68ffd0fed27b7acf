/*
 * warm_up.h - has vms of a snapshot answer its warm_input, before there are any others,
 * so that those begin with the pages that this has written.
 */
#ifndef EXECUTOR_LINUX_WARM_UP_H
#define EXECUTOR_LINUX_WARM_UP_H

#include <stdint.h>

#include "base/error.h"
#include "executor/linux/process.h"
#include "snapshot/boot.h"

struct snapshot;

/*
 * Has the process of @frozen answer its warm_input in vms of @snapshot: as often as that
 * says; once if it asks at /dev/thaw, since it has done so before. Nothing if there is
 * none. @deadline_ns is CLOCK_MONOTONIC's. Results: -ECANCELED, -E2BIG, -EINVAL,
 * -EDEADLK: it does not succeed; -ETIMEDOUT: not in time; -ESHUTDOWN; those of the system.
 */
int linux_warm_up(const struct linux_process *frozen, struct snapshot *snapshot,
		  const struct snapshot_options *options, uint64_t deadline_ns,
		  struct error *err);

/*
 * Hands the process its warm_input, or, if there is none, the request that is the least
 * one; the reply may have @reply_max bytes. 0 or -ENOMEM.
 */
int linux_warm_request(struct linux_process *process, size_t reply_max);

#endif
