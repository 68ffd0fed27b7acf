/* calls_timer.h - system calls about timers that send signals; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_TIMER_H
#define EXECUTOR_LINUX_CALLS_TIMER_H

#include <stdint.h>

struct linux_process;

int64_t call_alarm(struct linux_process *process, const uint64_t *args);
int64_t call_getitimer(struct linux_process *process, const uint64_t *args);
int64_t call_setitimer(struct linux_process *process, const uint64_t *args);
int64_t call_timer_create(struct linux_process *process, const uint64_t *args);
int64_t call_timer_delete(struct linux_process *process, const uint64_t *args);
int64_t call_timer_getoverrun(struct linux_process *process,
			      const uint64_t *args);
int64_t call_timer_gettime(struct linux_process *process, const uint64_t *args);
int64_t call_timer_settime(struct linux_process *process, const uint64_t *args);

#endif
