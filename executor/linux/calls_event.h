/* calls_event.h - system calls about eventfd and timerfd; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_EVENT_H
#define EXECUTOR_LINUX_CALLS_EVENT_H

#include <stdint.h>

struct linux_process;

int64_t call_eventfd(struct linux_process *process, const uint64_t *args);
int64_t call_eventfd2(struct linux_process *process, const uint64_t *args);
int64_t call_timerfd_create(struct linux_process *process,
			    const uint64_t *args);
int64_t call_timerfd_gettime(struct linux_process *process,
			     const uint64_t *args);
int64_t call_timerfd_settime(struct linux_process *process,
			     const uint64_t *args);

#endif
