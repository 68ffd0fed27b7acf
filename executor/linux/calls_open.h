/* calls_open.h - how a system call opens a file; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_OPEN_H
#define EXECUTOR_LINUX_CALLS_OPEN_H

#include <stdint.h>

struct linux_process;

int64_t call_open(struct linux_process *process, const uint64_t *args);
int64_t call_openat(struct linux_process *process, const uint64_t *args);
int64_t call_openat2(struct linux_process *process, const uint64_t *args);
int64_t call_creat(struct linux_process *process, const uint64_t *args);
int64_t call_memfd_create(struct linux_process *process, const uint64_t *args);

#endif
