/* calls_change.h - system calls that change files; see calls.h. EROFS but in the tmpfs. */
#ifndef EXECUTOR_LINUX_CALLS_CHANGE_H
#define EXECUTOR_LINUX_CALLS_CHANGE_H

#include <stdint.h>

struct linux_process;

int64_t call_mkdir(struct linux_process *process, const uint64_t *args);
int64_t call_mkdirat(struct linux_process *process, const uint64_t *args);
int64_t call_mknod(struct linux_process *process, const uint64_t *args);
int64_t call_mknodat(struct linux_process *process, const uint64_t *args);
int64_t call_rmdir(struct linux_process *process, const uint64_t *args);
int64_t call_unlink(struct linux_process *process, const uint64_t *args);
int64_t call_unlinkat(struct linux_process *process, const uint64_t *args);
int64_t call_rename(struct linux_process *process, const uint64_t *args);
int64_t call_renameat(struct linux_process *process, const uint64_t *args);
int64_t call_renameat2(struct linux_process *process, const uint64_t *args);
int64_t call_link(struct linux_process *process, const uint64_t *args);
int64_t call_linkat(struct linux_process *process, const uint64_t *args);
int64_t call_symlink(struct linux_process *process, const uint64_t *args);
int64_t call_symlinkat(struct linux_process *process, const uint64_t *args);
int64_t call_truncate(struct linux_process *process, const uint64_t *args);
int64_t call_ftruncate(struct linux_process *process, const uint64_t *args);
int64_t call_fallocate(struct linux_process *process, const uint64_t *args);
int64_t call_chmod(struct linux_process *process, const uint64_t *args);
int64_t call_fchmod(struct linux_process *process, const uint64_t *args);
int64_t call_fchmodat(struct linux_process *process, const uint64_t *args);
int64_t call_chown(struct linux_process *process, const uint64_t *args);
int64_t call_lchown(struct linux_process *process, const uint64_t *args);
int64_t call_fchown(struct linux_process *process, const uint64_t *args);
int64_t call_fchownat(struct linux_process *process, const uint64_t *args);
int64_t call_utimensat(struct linux_process *process, const uint64_t *args);
int64_t call_fsync(struct linux_process *process, const uint64_t *args);
int64_t call_fadvise64(struct linux_process *process, const uint64_t *args);
int64_t call_readahead(struct linux_process *process, const uint64_t *args);

#endif
