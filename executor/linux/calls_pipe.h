/* calls_pipe.h - system calls about pipes; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_PIPE_H
#define EXECUTOR_LINUX_CALLS_PIPE_H

#include <stdint.h>

struct linux_process;

int64_t call_pipe(struct linux_process *process, const uint64_t *args);
int64_t call_pipe2(struct linux_process *process, const uint64_t *args);

/* Copying without the program's memory: libraries read and write instead. */
int64_t call_not_spliced(struct linux_process *process, const uint64_t *args);

#endif
