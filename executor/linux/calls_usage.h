/* calls_usage.h - system calls about what the program has used; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_USAGE_H
#define EXECUTOR_LINUX_CALLS_USAGE_H

#include <stdint.h>

struct linux_process;

int64_t call_getrusage(struct linux_process *process, const uint64_t *args);
int64_t call_times(struct linux_process *process, const uint64_t *args);

/* The nice value, which changes nothing else. */
int64_t call_getpriority(struct linux_process *process, const uint64_t *args);
int64_t call_setpriority(struct linux_process *process, const uint64_t *args);

#endif
