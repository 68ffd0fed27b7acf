/* calls_path.h - system calls that find files by their paths; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_PATH_H
#define EXECUTOR_LINUX_CALLS_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/linux/place.h"

struct file;
struct linux_process;

/* AT_FDCWD, as an argument. */
#define CALLS_HERE ((uint64_t)(int64_t)-100)

/*
 * Finds what the path at @at leads to, from the open directory @fd on; as place_find(),
 * and: -EFAULT; -EBADF; -ENOTDIR.
 */
int calls_find(struct linux_process *process, uint64_t fd, uint64_t at,
	       bool follow, struct place *place);

/* Whether @file is open as a directory. */
bool calls_is_directory(struct linux_process *process, const struct file *file);

int64_t call_stat(struct linux_process *process, const uint64_t *args);
int64_t call_lstat(struct linux_process *process, const uint64_t *args);
int64_t call_newfstatat(struct linux_process *process, const uint64_t *args);
int64_t call_statx(struct linux_process *process, const uint64_t *args);
int64_t call_statfs(struct linux_process *process, const uint64_t *args);
int64_t call_fstatfs(struct linux_process *process, const uint64_t *args);
int64_t call_access(struct linux_process *process, const uint64_t *args);
int64_t call_faccessat(struct linux_process *process, const uint64_t *args);
int64_t call_faccessat2(struct linux_process *process, const uint64_t *args);
int64_t call_readlink(struct linux_process *process, const uint64_t *args);
int64_t call_readlinkat(struct linux_process *process, const uint64_t *args);
int64_t call_chdir(struct linux_process *process, const uint64_t *args);
int64_t call_fchdir(struct linux_process *process, const uint64_t *args);
int64_t call_getcwd(struct linux_process *process, const uint64_t *args);
int64_t call_umask(struct linux_process *process, const uint64_t *args);

#endif
