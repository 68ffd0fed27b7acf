/* file_pipe.h - the two ends of a pipe, as files of a Linux program. */
#ifndef EXECUTOR_LINUX_FILE_PIPE_H
#define EXECUTOR_LINUX_FILE_PIPE_H

#include "executor/linux/files.h"

extern const struct file_kind file_pipe_reader;
extern const struct file_kind file_pipe_writer;

/* The pipe of which @file is an end; NULL: of none. */
struct pipe *file_pipe(struct linux_process *process, const struct file *file);

#endif
