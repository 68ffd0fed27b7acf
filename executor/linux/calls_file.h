/* calls_file.h - system calls about files; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_FILE_H
#define EXECUTOR_LINUX_CALLS_FILE_H

#include <stdint.h>
#include <sys/stat.h>

struct file;
struct linux_process;

/* What fstat() says of @file. */
void file_status(struct linux_process *process, const struct file *file,
		 struct stat *ret_status);

int64_t call_lseek(struct linux_process *process, const uint64_t *args);
int64_t call_fstat(struct linux_process *process, const uint64_t *args);
int64_t call_getdents64(struct linux_process *process, const uint64_t *args);

#endif
