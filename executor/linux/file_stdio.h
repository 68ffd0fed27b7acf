/*
 * file_stdio.h - standard input, output and error of a Linux program: the request, the
 * reply and the log. To the program they are pipes.
 *
 * Whatever asks for the first byte of the request, or whether there is one, is where
 * the program is frozen. The end of the request is final.
 */
#ifndef EXECUTOR_LINUX_FILE_STDIO_H
#define EXECUTOR_LINUX_FILE_STDIO_H

#include "executor/linux/files.h"

extern const struct file_kind file_input;
extern const struct file_kind file_output;
extern const struct file_kind file_log;

/* Opens 0, 1 and 2 in a table of zeros. */
void file_stdio_open(struct files *files);

#endif
