/* calls_signal.h - system calls about signals and their timers; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_SIGNAL_H
#define EXECUTOR_LINUX_CALLS_SIGNAL_H

#include <stdint.h>

struct linux_process;

int64_t call_kill(struct linux_process *process, const uint64_t *args);
int64_t call_pause(struct linux_process *process, const uint64_t *args);
int64_t call_restart_syscall(struct linux_process *process,
			     const uint64_t *args);
int64_t call_rt_sigaction(struct linux_process *process, const uint64_t *args);
int64_t call_rt_sigpending(struct linux_process *process, const uint64_t *args);
int64_t call_rt_sigprocmask(struct linux_process *process,
			    const uint64_t *args);
int64_t call_rt_sigqueueinfo(struct linux_process *process,
			     const uint64_t *args);
int64_t call_rt_sigreturn(struct linux_process *process, const uint64_t *args);
int64_t call_rt_sigsuspend(struct linux_process *process, const uint64_t *args);
int64_t call_rt_sigtimedwait(struct linux_process *process,
			     const uint64_t *args);
int64_t call_rt_tgsigqueueinfo(struct linux_process *process,
			       const uint64_t *args);
int64_t call_sigaltstack(struct linux_process *process, const uint64_t *args);
int64_t call_tgkill(struct linux_process *process, const uint64_t *args);
int64_t call_tkill(struct linux_process *process, const uint64_t *args);

#endif
