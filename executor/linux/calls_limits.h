/* calls_limits.h - system calls about limits of resources; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_LIMITS_H
#define EXECUTOR_LINUX_CALLS_LIMITS_H

#include <stdint.h>

struct linux_process;

int64_t call_getrlimit(struct linux_process *process, const uint64_t *args);
int64_t call_setrlimit(struct linux_process *process, const uint64_t *args);
int64_t call_prlimit64(struct linux_process *process, const uint64_t *args);

#endif
