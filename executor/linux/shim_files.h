/*
 * shim_files.h - the files that the shim answers for: regular files of the host that are
 * open at the snapshot. Their bytes are in memory of the snapshot, which all vms share and
 * the program can only read. On the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_SHIM_FILES_H
#define EXECUTOR_LINUX_SHIM_FILES_H

#include <stdint.h>

struct linux_process;

/* Bytes of such files together, at most. */
#define SHIM_FILES_BYTES_MAX ((uint64_t)1 << 20)
/* Of the largest piece of memory that the program has not used they take 1/8 at most. */
#define SHIM_FILES_SHARE 8

/*
 * Copies them there, in the order of their descriptors, as far as they fit; the others
 * stay with the host. For a process that is being frozen.
 */
void shim_files_keep(struct linux_process *process);

/* Fills in thaw_given.files, of what is open now. */
void shim_files_list(struct linux_process *process);

/*
 * Takes over thaw_shim.offsets of these files, which the program may have changed: each is
 * taken if lseek() could have set it.
 */
void shim_files_take(struct linux_process *process, const uint64_t *offsets);

/* Writes them anew. */
void shim_files_give(struct linux_process *process, uint64_t *offsets);

#endif
