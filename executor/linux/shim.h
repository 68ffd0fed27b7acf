/*
 * shim.h - the host's side of the shim, which answers system calls inside the guest: see
 * guest/abi/thaw_shim.h. What the shim has noted is a hostile program's; it is taken as
 * the calls would be that it stands for.
 *
 * On the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_SHIM_H
#define EXECUTOR_LINUX_SHIM_H

#include <stdint.h>

struct linux_process;

/* Notes that the program begins now. */
void shim_begin_time(struct linux_process *process);

/* Notes that nothing of the program can run; and that something may again. */
void shim_sleep(struct linux_process *process);
void shim_wake(struct linux_process *process);

/* The CPU time that the program has used. */
uint64_t shim_cpu_time_ns(const struct linux_process *process);

/*
 * Makes the shim answer from now on, in the memory of a process that is being frozen,
 * whose space is frozen already.
 */
void shim_freeze(struct linux_process *process);

/*
 * Makes what it is given, in the memory of a process that was read from a file, and which
 * is frozen. 0 or -errno.
 */
int shim_restore(struct linux_process *process);

/* Hands it what is left of the request. 0 or -errno. */
int shim_begin(struct linux_process *process);

/* Has it pass on all calls of the request that has just begun. 0 or -errno. */
int shim_turn_off(struct linux_process *process);

/*
 * Has it pass on the next call, whatever it is: the program is in the shim, where it cannot
 * be interrupted, and may be there whenever somebody looks. 0 or -errno.
 */
int shim_pass_on_next(struct linux_process *process);

/* Takes what the program has written to stdout and stderr. */
void shim_take_output(struct linux_process *process);

/* Takes all that the shim has noted. To be called before a call is done. 0 or -errno. */
int shim_take(struct linux_process *process);

/* Gives it what has changed. To be called before the vm runs again. 0 or -errno. */
int shim_give(struct linux_process *process);

#endif
