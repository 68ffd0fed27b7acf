/* calls_process.h - system calls about the process and time; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_PROCESS_H
#define EXECUTOR_LINUX_CALLS_PROCESS_H

#include <stdint.h>

struct linux_process;

int64_t call_exit_group(struct linux_process *process, const uint64_t *args);
int64_t call_arch_prctl(struct linux_process *process, const uint64_t *args);
int64_t call_getrandom(struct linux_process *process, const uint64_t *args);
int64_t call_uname(struct linux_process *process, const uint64_t *args);
int64_t call_sysinfo(struct linux_process *process, const uint64_t *args);
int64_t call_clock_gettime(struct linux_process *process, const uint64_t *args);
int64_t call_clock_getres(struct linux_process *process, const uint64_t *args);
int64_t call_gettimeofday(struct linux_process *process, const uint64_t *args);
int64_t call_time(struct linux_process *process, const uint64_t *args);
int64_t call_nanosleep(struct linux_process *process, const uint64_t *args);
int64_t call_clock_nanosleep(struct linux_process *process,
			     const uint64_t *args);
int64_t call_prctl(struct linux_process *process, const uint64_t *args);

/* Calls that do nothing and succeed, do not exist, or are refused. */
int64_t call_nothing(struct linux_process *process, const uint64_t *args);
int64_t call_absent(struct linux_process *process, const uint64_t *args);
int64_t call_refused(struct linux_process *process, const uint64_t *args);
/* Files have no extended attributes. */
int64_t call_no_attributes(struct linux_process *process, const uint64_t *args);

#endif
