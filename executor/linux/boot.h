/* boot.h - starts a Linux program and freezes it where it first asks for its input. */
#ifndef EXECUTOR_LINUX_BOOT_H
#define EXECUTOR_LINUX_BOOT_H

#include "base/error.h"
#include "executor/linux/process.h"
#include "snapshot/boot.h"

struct snapshot;

/*
 * Boots @program, which must outlive the process, in memory of @options->layout. On
 * success the caller owns *@ret_snapshot, and the frozen *@ret_process, which must not
 * outlive it and which linux_process_done() frees. Errors as linux_load() and, besides:
 * -ETIMEDOUT, it has not asked in time; -ECANCELED, it has ended or faulted before;
 * -EDEADLK, it waits for ever; -ESHUTDOWN, it was stopped; -EOPNOTSUPP, no program runs
 * on this machine; and those of linux_warm_up().
 */
int linux_boot(const struct linux_program *program,
	       const struct snapshot_options *options, struct error *err,
	       struct linux_process *ret_process,
	       struct snapshot **ret_snapshot);

#endif
