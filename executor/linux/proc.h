/*
 * proc.h - the files of /proc and /sys that C libraries and interpreters read. thaw makes
 * them up, from what it knows of the program: none is the host's.
 */
#ifndef EXECUTOR_LINUX_PROC_H
#define EXECUTOR_LINUX_PROC_H

#include "base/buffer.h"

struct linux_process;

/* How many there are, and the path of the @index'th. */
unsigned proc_count(void);
const char *proc_path(unsigned index);

/* The index of @path, or -ENOENT. */
int proc_find(const char *path);

/* Appends what is in the file now. */
void proc_write(struct linux_process *process, unsigned index,
		struct buffer *text);

#endif
