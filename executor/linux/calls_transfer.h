/* calls_transfer.h - system calls that read and write; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_TRANSFER_H
#define EXECUTOR_LINUX_CALLS_TRANSFER_H

#include <stdint.h>

struct linux_process;

int64_t call_pread64(struct linux_process *process, const uint64_t *args);
int64_t call_preadv(struct linux_process *process, const uint64_t *args);
int64_t call_preadv2(struct linux_process *process, const uint64_t *args);
int64_t call_pwrite64(struct linux_process *process, const uint64_t *args);
int64_t call_pwritev(struct linux_process *process, const uint64_t *args);
int64_t call_pwritev2(struct linux_process *process, const uint64_t *args);
int64_t call_read(struct linux_process *process, const uint64_t *args);
int64_t call_readv(struct linux_process *process, const uint64_t *args);
int64_t call_write(struct linux_process *process, const uint64_t *args);
int64_t call_writev(struct linux_process *process, const uint64_t *args);

#endif
