/* memory_file.h - the file that holds a snapshot's memory: written once, then sealed */
#ifndef SNAPSHOT_MEMORY_FILE_H
#define SNAPSHOT_MEMORY_FILE_H

#include <stddef.h>

/* How long memory_file_seal() waits for the kernel to let go of the file's pages. */
#define MEMORY_FILE_PATIENCE_MS 2000

/* Makes an anonymous file of @size zero bytes. Returns its descriptor, or -errno. */
int memory_file_create(size_t size);

/*
 * Makes the bytes and the size of @fd final. The caller has unmapped it wherever it was
 * writable. Returns 0 or -errno; -EBUSY: somebody may still write to it.
 *
 * The kernel looks for references to pages that it cannot explain by mappings, and has
 * some of its own for moments: reclaim, compaction and other CPUs' batches hold pages.
 * So a refusal is final only after MEMORY_FILE_PATIENCE_MS.
 */
int memory_file_seal(int fd);

#endif
