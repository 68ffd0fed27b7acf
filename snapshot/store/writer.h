/* writer.h - writes a snapshot's file, whole or not at all. See format.h. */
#ifndef SNAPSHOT_STORE_WRITER_H
#define SNAPSHOT_STORE_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "snapshot/store/file.h"

/* How the names of files begin that are being written. */
#define STORE_TEMPORARY "tmp-"
#define STORE_TEMPORARY_MAX 32

/* What goes into a file; all of it borrowed. */
struct store_content {
	uint8_t key[STORE_KEY_SIZE];
	const char *version; /* of this thaw */
	const void *manifest, *ready, *state;
	size_t manifest_size, ready_size, state_size;
	int memory_fd; /* a file of memory_size bytes, which nobody writes to */
	size_t memory_size;
	uint64_t frozen_ns;	  /* CLOCK_MONOTONIC */
	struct store_pause pause; /* called meanwhile: true, -ESHUTDOWN */
};

/* A file that is complete, but has only a temporary name. */
struct store_written {
	int fd; /* in use, and so not taken for one that was left behind */
	char name[STORE_TEMPORARY_MAX];
	uint64_t bytes;		       /* that it takes of the disk */
	uint8_t hash[STORE_HASH_SIZE]; /* its header's */
};

/*
 * Writes @content for @machine to a new file in the directory @dir, and has it reach the
 * disk. store_written_commit() or store_written_abort() ends *@ret_written. -EINVAL: a
 * part is larger than a file may have; others from the system.
 */
int store_write(int dir, const struct store_machine *machine,
		const struct store_content *content, struct error *err,
		struct store_written *ret_written);

/*
 * Gives the file its @name, in place of any that has it, which stays as it is for those
 * who have it open. 0 or -errno; the file is there whole, or is not.
 */
int store_written_commit(int dir, struct store_written *written,
			 const char *name, struct error *err);

/* Removes it; also after a commit that has failed. */
void store_written_abort(int dir, struct store_written *written);

/* Writes all @size bytes at @offset of @fd. 0 or -errno. */
int store_write_all(int fd, const void *bytes, size_t size, uint64_t offset);

/* Creates a file with a temporary name, marked as in use. Returns its descriptor, or -errno. */
int store_create_temporary(int dir, char name[STORE_TEMPORARY_MAX]);

#endif
