/*
 * file.h - a snapshot's file, opened and checked. See format.h.
 *
 * The bytes of a file are hostile. All that stands before the memory is copied, compared
 * with its hash, and used from the copy. Memory is not copied: store_file_verify()
 * compares it with its hashes, and the caller maps it.
 */
#ifndef SNAPSHOT_STORE_FILE_H
#define SNAPSHOT_STORE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "snapshot/store/format.h"

/* How whoever waits for slow work is asked whether it is still needed. */
struct store_pause {
	bool (*call)(void *cookie); /* true: no; NULL: nobody asks */
	void *cookie;
};

/*
 * What a file must have been written for: that, but for a CPU that may have had less.
 */
struct store_machine {
	uint32_t architecture; /* e_machine */
	uint32_t abi;
	uint32_t page_size;
	uint32_t features[STORE_FEATURES]; /* a mask of what it has */
};

/* An open file; the parts point into @parts_copy. */
struct store_file {
	int fd; /* marked as in use: nobody removes the file */
	struct store_header header;
	struct store_parts parts;
	uint8_t *parts_copy;
	const char *manifest;
	const uint8_t *ready, *state, *bitmap, *hashes;
};

/*
 * Opens the file called @name in the directory @dir. It is for @machine and has @key; NULL
 * stands for any. On success the caller closes *@ret_file. -ENOENT: there is none;
 * -EBADMSG: it is damaged; -ESTALE: it is of another version, machine or key; the message
 * then says which thaw has written it; -EPERM: others may have written it; others from
 * the system.
 */
int store_file_open(int dir, const char *name,
		    const struct store_machine *machine, const uint8_t *key,
		    struct error *err, struct store_file *ret_file);

/* What keeps a machine from using a file of this format. */
enum store_misfit {
	STORE_MISFIT_NONE,
	STORE_MISFIT_ARCHITECTURE,
	STORE_MISFIT_ABI,
	STORE_MISFIT_PAGE_SIZE,
	STORE_MISFIT_CPU,
};

/* Whether @machine can use the file with @header; and the first reason against it, as text. */
enum store_misfit store_misfit(const struct store_header *header,
			       const struct store_machine *machine);
const char *store_misfit_text(enum store_misfit misfit);

/* Closes @file. All zero but for an fd of -1 is fine. */
void store_file_close(struct store_file *file);

/*
 * Reads all memory. 0; -EBADMSG: it is not what was written; -ESHUTDOWN: @pause, which may
 * be NULL, has said so; or -errno. Slow.
 */
int store_file_verify(const struct store_file *file,
		      const struct store_pause *pause, struct error *err);

/*
 * Counts a chunk that was read in *@chunks, and calls @pause, which may be NULL, after
 * each STORE_PAUSE_CHUNKS of them. 0, or -ESHUTDOWN if that says so.
 */
#define STORE_PAUSE_CHUNKS 128
int store_pause_count(const struct store_pause *pause, uint64_t *chunks,
		      struct error *err);

/* Whether page @page of memory exists; the others are zero. */
static inline bool store_file_has_page(const struct store_file *file,
				       uint64_t page)
{
	return file->bitmap[page / 8] >> page % 8 & 1;
}

/*
 * Whether a hole of it that is mapped and read takes memory of the file system, which may have
 * none left: then the kernel ends the process.
 */
bool store_file_is_tmpfs(const struct store_file *file);

/*
 * Reads the memory that exists into @to, which has room for all of it. 0; -EBADMSG: it is
 * shorter; or -errno. Slow.
 */
int store_file_read(const struct store_file *file, uint8_t *to);

/* The bytes of memory that exist. */
uint64_t store_file_bytes(const struct store_file *file);

/* Whether all @size bytes at @bytes are zero. */
bool store_is_zero(const uint8_t *bytes, size_t size);

/* The hash of @size bytes. */
void store_hash(const void *bytes, size_t size, uint8_t hash[STORE_HASH_SIZE]);

/*
 * That of @header, whose own hash does not count, and of the parts behind it, at @rest, but
 * for the memory and what is between it and the hashes.
 */
void store_hash_parts(const struct store_header *header, const void *rest,
		      uint8_t hash[STORE_HASH_SIZE]);

/*
 * Marks the open file @fd as in use, until it is closed. 0 or -errno. And whether anybody
 * else has marked it.
 */
int store_lock(int fd);
bool store_is_locked(int fd);

/* "x86_64", "arm64", or "?". */
const char *store_architecture_name(uint32_t architecture);

#endif
