/* calls_poll.h - system calls that wait until descriptors are ready; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_POLL_H
#define EXECUTOR_LINUX_CALLS_POLL_H

#include <stdbool.h>
#include <stdint.h>

struct linux_process;

int64_t call_poll(struct linux_process *process, const uint64_t *args);
int64_t call_ppoll(struct linux_process *process, const uint64_t *args);
int64_t call_pselect6(struct linux_process *process, const uint64_t *args);
int64_t call_select(struct linux_process *process, const uint64_t *args);

/* What epoll has in common with them: */

/* A timeout in milliseconds as an argument has it; UINT64_MAX: none. */
uint64_t calls_poll_ms(uint64_t argument);

/* One that is a struct timespec at @address; 0: there is none. 0 or -errno. */
int calls_poll_time(struct linux_process *process, uint64_t address,
		    uint64_t *ret_timeout_ns);

/* Sets the signal mask at @address, if not 0, until the call is over. 0 or -errno. */
int calls_poll_set_mask(struct linux_process *process, uint64_t address,
			uint64_t size);

/*
 * Whether the call is to return now: @ready descriptors are, or @timeout_ns is over. If
 * not, it waits, or the program is frozen.
 */
bool calls_poll_is_over(struct linux_process *process, int64_t ready,
			uint64_t timeout_ns);

#endif
