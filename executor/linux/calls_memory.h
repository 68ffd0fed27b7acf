/* calls_memory.h - system calls about memory; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_MEMORY_H
#define EXECUTOR_LINUX_CALLS_MEMORY_H

#include <stdint.h>

struct linux_process;

int64_t call_brk(struct linux_process *process, const uint64_t *args);
int64_t call_mmap(struct linux_process *process, const uint64_t *args);
int64_t call_munmap(struct linux_process *process, const uint64_t *args);
int64_t call_mprotect(struct linux_process *process, const uint64_t *args);
int64_t call_madvise(struct linux_process *process, const uint64_t *args);
int64_t call_mincore(struct linux_process *process, const uint64_t *args);
int64_t call_mlock(struct linux_process *process, const uint64_t *args);
int64_t call_mremap(struct linux_process *process, const uint64_t *args);
int64_t call_msync(struct linux_process *process, const uint64_t *args);

#endif
