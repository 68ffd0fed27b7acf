/* file_event.h - eventfd: a counter, as a file of a Linux program. */
#ifndef EXECUTOR_LINUX_FILE_EVENT_H
#define EXECUTOR_LINUX_FILE_EVENT_H

#include "executor/linux/files.h"

extern const struct file_kind file_event;

/* What fstat() says of a file that has no inode of its own. */
void file_event_status(struct linux_process *process, const struct file *file,
		       struct stat *ret);

#endif
