/* calls_thread.h - system calls about threads and their scheduling; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_THREAD_H
#define EXECUTOR_LINUX_CALLS_THREAD_H

#include <stdint.h>

struct linux_process;

int64_t call_clone(struct linux_process *process, const uint64_t *args);
int64_t call_clone3(struct linux_process *process, const uint64_t *args);
int64_t call_exit(struct linux_process *process, const uint64_t *args);
int64_t call_gettid(struct linux_process *process, const uint64_t *args);
int64_t call_set_tid_address(struct linux_process *process,
			     const uint64_t *args);
int64_t call_set_robust_list(struct linux_process *process,
			     const uint64_t *args);
int64_t call_get_robust_list(struct linux_process *process,
			     const uint64_t *args);

/* There is one CPU, and all threads have the same priority. */
int64_t call_getcpu(struct linux_process *process, const uint64_t *args);
int64_t call_membarrier(struct linux_process *process, const uint64_t *args);
int64_t call_sched_yield(struct linux_process *process, const uint64_t *args);
int64_t call_sched_getaffinity(struct linux_process *process,
			       const uint64_t *args);
int64_t call_sched_rr_get_interval(struct linux_process *process,
				   const uint64_t *args);
int64_t call_sched_setaffinity(struct linux_process *process,
			       const uint64_t *args);
int64_t call_sched_getscheduler(struct linux_process *process,
				const uint64_t *args);
int64_t call_sched_setscheduler(struct linux_process *process,
				const uint64_t *args);
int64_t call_sched_getparam(struct linux_process *process,
			    const uint64_t *args);
int64_t call_sched_setparam(struct linux_process *process,
			    const uint64_t *args);
int64_t call_sched_get_priority_max(struct linux_process *process,
				    const uint64_t *args);
int64_t call_sched_get_priority_min(struct linux_process *process,
				    const uint64_t *args);

#endif
