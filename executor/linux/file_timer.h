/*
 * file_timer.h - timerfd: a timer, as a file of a Linux program. Its times are those of
 * the host's CLOCK_MONOTONIC, which goes on while a program is frozen.
 */
#ifndef EXECUTOR_LINUX_FILE_TIMER_H
#define EXECUTOR_LINUX_FILE_TIMER_H

#include "executor/linux/files.h"

extern const struct file_kind file_timer;

/* Arms the timer @file for @next_ns and then each @every_ns; next_ns 0: stops it. */
void file_timer_set(struct linux_process *process, struct file *file,
		    uint64_t next_ns, uint64_t every_ns);

/* How long it is until @file expires next; 0: never. */
uint64_t file_timer_left(struct linux_process *process, struct file *file);

/* When the first timer expires that may be waited for; UINT64_MAX: none. */
uint64_t file_timers_next(const struct files *files);

/* Notes which timers have expired; whether any has, since this was called. */
bool file_timers_expire(struct files *files);

#endif
