/* file_gunyah.h - /dev/gicv3, /dev/console and /dev/exit: see gunyah.h. */
#ifndef EXECUTOR_LINUX_FILE_GUNYAH_H
#define EXECUTOR_LINUX_FILE_GUNYAH_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/linux/files.h"

/* The device of @path, for a program that has them; NULL: it is none. */
const struct file_kind *file_gunyah_find(const char *path);

/* Whether @kind is such a device, and open() with @flags and @mode is EINVAL. */
bool file_gunyah_refuses(const struct file_kind *kind, uint64_t flags,
			 uint64_t mode);

/* As ioctl(), of such a program, for requests that no other file has. */
int64_t file_gunyah_ioctl(struct linux_process *process,
			  const struct file *file, uint64_t request,
			  uint64_t argument);

#endif
