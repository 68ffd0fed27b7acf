/*
 * calls.h - does the system calls of Linux programs. Each argument is a hostile
 * program's: numbers are checked against what the host knows, and memory is reached
 * through space.h alone.
 */
#ifndef EXECUTOR_LINUX_CALLS_H
#define EXECUTOR_LINUX_CALLS_H

#include <stdint.h>

#include "executor/linux/process.h"

/*
 * Does the current thread's call, for the first time or again. Returns its result, which
 * counts if process->step is LINUX_GO_ON.
 */
int64_t linux_call_dispatch(struct linux_process *process);

/* A call, done for @process with its six arguments; returns a result or -errno. */
typedef int64_t (*linux_call_fn)(struct linux_process *process,
				 const uint64_t *args);

/* One row of the table. */
struct linux_call_entry {
	const char *name; /* NULL: there is no such call */
	linux_call_fn call;
};

/* The call @number, which may be anything; NULL: it does not exist. */
const struct linux_call_entry *linux_call_find(uint64_t number);

#endif
