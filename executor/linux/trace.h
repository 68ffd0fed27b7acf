/*
 * trace.h - prints what a Linux program asks of its kernel, as strace does: a line for
 * each system call, once it is done, and lines for signals, the end, and the place of
 * the snapshot. For `thaw run --strace`. On the thread that runs the program's vm.
 */
#ifndef EXECUTOR_LINUX_TRACE_H
#define EXECUTOR_LINUX_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct linux_process;
struct vm_call;

/*
 * Tells the trace of the process's program, which there must be, of @call and @result.
 * process->step says what follows from it.
 */
void linux_trace_call(const struct linux_process *process,
		      const struct vm_call *call, int64_t result);

/* Tells it of a signal: @code is its si_code; @address its si_addr, or 0. */
void linux_trace_signal(const struct linux_process *process, int signal,
			int code, uint64_t address);

/* Tells it that @signal has ended the program. */
void linux_trace_killed(const struct linux_process *process, int signal);

/* Whether arguments may have this @word in a signature; for tests. */
bool linux_trace_knows(const char *word);

#endif
