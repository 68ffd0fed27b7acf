/*
 * boot_run.h - runs a program for as long as nobody waits for it: up to its snapshot, and
 * when it is warmed up. On the thread that deploys.
 */
#ifndef EXECUTOR_LINUX_BOOT_RUN_H
#define EXECUTOR_LINUX_BOOT_RUN_H

#include <stdint.h>

#include "base/error.h"
#include "executor/linux/process.h"
#include "snapshot/pause.h"
#include "vm/exit.h"

/* How a run has ended. */
enum boot_end {
	BOOT_INPUT,   /* it asks for a request that there is none of */
	BOOT_EXIT,    /* it has exited, or a signal has ended it */
	BOOT_FAULT,   /* a fault has ended it: run.exit */
	BOOT_STUCK,   /* it waits for what nothing can bring about */
	BOOT_FULL,    /* it has written more than it may to standard output */
	BOOT_LATE,    /* the deadline has come */
	BOOT_STOPPED, /* run.pause has said so */
};

struct boot_run {
	struct linux_process *process;
	struct snapshot_pause pause;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	struct vm_exit exit;  /* the last one */
};

/*
 * Runs @vm, which has the process, and puts into *@ret_end why it does not go on. What it
 * has logged is complete. -errno: the host has failed, and @err says how.
 */
int boot_run(struct boot_run *run, struct vm *vm, struct error *err,
	     enum boot_end *ret_end);

/* What is said of a run that was stopped. Returns -ESHUTDOWN. */
int boot_stopped(struct error *err);

#endif
