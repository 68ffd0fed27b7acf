/*
 * snapshot_linux.h - what a snapshot's file has of a Linux program, for people: threads,
 * memory, descriptors, signals and so on, as they were when it was frozen.
 *
 * The file is hostile. It is read by linux_state_show(), so with the checks of a start, and
 * only if the file's key is the hash of what its manifest says of it.
 */
#ifndef EXECUTOR_CLI_SNAPSHOT_LINUX_H
#define EXECUTOR_CLI_SNAPSHOT_LINUX_H

#include "base/error.h"

struct json_t;
struct store_file;

/*
 * Puts the member "linux" into @object, what snapshot_files_json() has returned for @file;
 * nothing, if that is no program's. 0; 1: another thaw or machine has to show it, and
 * "linux_reason" says why; -EBADMSG: it is no good; -ENOMEM.
 */
int snapshot_linux_put(struct json_t *object, const struct store_file *file,
		       struct error *err);

#endif
