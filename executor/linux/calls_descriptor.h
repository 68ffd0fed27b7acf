/* calls_descriptor.h - system calls about descriptors of any kind; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_DESCRIPTOR_H
#define EXECUTOR_LINUX_CALLS_DESCRIPTOR_H

#include <stdint.h>

struct linux_process;

int64_t call_close(struct linux_process *process, const uint64_t *args);
int64_t call_close_range(struct linux_process *process, const uint64_t *args);
int64_t call_dup(struct linux_process *process, const uint64_t *args);
int64_t call_dup2(struct linux_process *process, const uint64_t *args);
int64_t call_dup3(struct linux_process *process, const uint64_t *args);
int64_t call_fcntl(struct linux_process *process, const uint64_t *args);
int64_t call_flock(struct linux_process *process, const uint64_t *args);
int64_t call_ioctl(struct linux_process *process, const uint64_t *args);

#endif
