/*
 * file_epoll.h - epoll, as a file of a Linux program. What it watches is in epolls.h.
 *
 * An epoll file may watch another one that watches no third.
 */
#ifndef EXECUTOR_LINUX_FILE_EPOLL_H
#define EXECUTOR_LINUX_FILE_EPOLL_H

#include "executor/linux/files.h"

struct epoll_event;

extern const struct file_kind file_epoll;

/*
 * Takes at most @max events of @file: those that are edge-triggered or wanted once are
 * not ready any more. Returns how many. May set process->step: see file_kind.
 */
int file_epoll_take(struct linux_process *process, const struct file *file,
		    struct epoll_event *ret_events, int max);

#endif
