/* file_tmpfs.h - open files of the tmpfs: /tmp, /dev/shm, and what has no name. */
#ifndef EXECUTOR_LINUX_FILE_TMPFS_H
#define EXECUTOR_LINUX_FILE_TMPFS_H

#include <stdint.h>

#include "executor/linux/files.h"

struct linux_process;

extern const struct file_kind file_tmpfs;

/* Opens @node. Returns a descriptor or -EMFILE. */
int64_t file_tmpfs_open(struct linux_process *process, uint32_t node,
			uint64_t flags);

/* As getdents64(), of an open directory. */
int64_t file_tmpfs_list(struct linux_process *process, struct file *file,
			uint64_t to, uint64_t size);

/*
 * Frees the nodes without a name that nothing has open. To be called before what may
 * need room.
 */
void file_tmpfs_collect(struct linux_process *process);

#endif
