/* calls_futex.h - the system call futex(); see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_FUTEX_H
#define EXECUTOR_LINUX_CALLS_FUTEX_H

#include <stdint.h>

struct linux_process;

int64_t call_futex(struct linux_process *process, const uint64_t *args);

/* Wakes at most @count threads that wait for the futex at @address. Returns how many. */
int64_t linux_futex_wake(struct linux_process *process, uint64_t address,
			 uint64_t count);

/*
 * Does with the futexes of the current thread, which ends, what its robust list asks for:
 * those that it holds are marked, and a thread that waits for one is woken.
 */
void linux_futex_end(struct linux_process *process);

#endif
