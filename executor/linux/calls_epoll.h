/* calls_epoll.h - system calls about epoll; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_EPOLL_H
#define EXECUTOR_LINUX_CALLS_EPOLL_H

#include <stdint.h>

struct linux_process;

int64_t call_epoll_create(struct linux_process *process, const uint64_t *args);
int64_t call_epoll_create1(struct linux_process *process, const uint64_t *args);
int64_t call_epoll_ctl(struct linux_process *process, const uint64_t *args);
int64_t call_epoll_pwait(struct linux_process *process, const uint64_t *args);
int64_t call_epoll_pwait2(struct linux_process *process, const uint64_t *args);
int64_t call_epoll_wait(struct linux_process *process, const uint64_t *args);

#endif
