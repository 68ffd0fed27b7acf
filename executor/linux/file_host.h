/*
 * file_host.h - files and directories of the host, as a Linux program has them open.
 *
 * One is read whole when it is opened (file_data.h). Its bytes never change, so copies
 * of the table share them, and a request that reads a file which is in the snapshot
 * does not touch the host's file system.
 */
#ifndef EXECUTOR_LINUX_FILE_HOST_H
#define EXECUTOR_LINUX_FILE_HOST_H

#include "executor/linux/files.h"

extern const struct file_kind file_host;

/* Whether @file, which may be NULL, is a directory. */
bool file_is_directory(const struct file *file);

#endif
