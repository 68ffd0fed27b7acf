/*
 * gunyah_console.h - where the text goes, besides, that a program with Gunyah's devices
 * writes to standard output and standard error: to its console function, line by line,
 * and to its log buffer.
 *
 * What waits for the console function is here. What hands it over is gunyah.h.
 * On the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_GUNYAH_CONSOLE_H
#define EXECUTOR_LINUX_GUNYAH_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

#include "executor/linux/gunyah_state.h"

struct linux_process;

/* As the request SET_PREFIX, of the string at @address. 0, -EFAULT or -E2BIG. */
int gunyah_console_set_prefix(struct linux_process *process, uint64_t address);

/* As TIOCSETBUF. 0; -EINVAL: it is too large; -EFAULT: it cannot be written. */
int gunyah_console_set_log(struct linux_process *process, uint64_t log,
			   uint64_t size);

/* How many of @size bytes may be written now. */
uint64_t gunyah_console_room(const struct linux_process *process,
			     uint64_t size);

/* Takes @size bytes that were written, at most so many. */
void gunyah_console_put(struct linux_process *process, const char *text,
			size_t size);

/* Takes the next piece for the function: a prefix, or the text of one line. NULL: none. */
const char *gunyah_console_take(struct gunyah_console *console,
				size_t *ret_size);

#endif
