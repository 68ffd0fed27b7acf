/* file_device.h - the devices of a Linux program that hold nothing. */
#ifndef EXECUTOR_LINUX_FILE_DEVICE_H
#define EXECUTOR_LINUX_FILE_DEVICE_H

#include "executor/linux/files.h"

extern const struct file_kind file_null;   /* /dev/null */
extern const struct file_kind file_zero;   /* /dev/zero */
extern const struct file_kind file_full;   /* /dev/full */
extern const struct file_kind file_random; /* /dev/random, /dev/urandom */

/* The device of @path; NULL: it is none. */
const struct file_kind *file_device_find(const char *path);

#endif
