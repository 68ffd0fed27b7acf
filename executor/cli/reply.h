/* reply.h - prints a reply, and what is known about it. */
#ifndef EXECUTOR_CLI_REPLY_H
#define EXECUTOR_CLI_REPLY_H

#include <stdbool.h>
#include <stdio.h>

#include "executor/libthaw.h"

/*
 * Writes the reply to @path (NULL or "-": standard output), after its metadata
 * if @include. Without a reply there is only the metadata, and no file is
 * touched. NULL refuses to send a terminal what is not text. Returns the exit
 * code, after a message if it is not CLI_OK.
 */
int reply_write(const struct thaw_reply *reply, const char *path, bool include);

/* Prints result, content type, id, size, times and exits, one a line. */
void reply_print_metadata(const struct thaw_reply *reply, FILE *file);

#endif
