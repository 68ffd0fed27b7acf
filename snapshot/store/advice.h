/*
 * advice.h - what invocations have been seen to need of a snapshot, for the next start.
 *
 * A small file beside a snapshot's file says which pages invocations have written, and
 * which parts of memory they have touched. It is written when that is known, which is long
 * after the snapshot's file, and that one never changes. Nobody has to believe it: without
 * it, or with a wrong one, a start takes longer. It is as hostile as any file.
 *
 *	struct advice_header
 *	hot		numbers of pages, ascending
 *	working		numbers of chunks (STORE_CHUNK), ascending, that exist in the file
 *
 * All are 32-bit numbers, little endian.
 */
#ifndef SNAPSHOT_STORE_ADVICE_H
#define SNAPSHOT_STORE_ADVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "snapshot/store/store.h"

#define STORE_ADVICE_MAGIC "thawpage"
#define STORE_ADVICE_FORMAT 1u

/* The most pages and chunks that it names: 8 MiB, and 256 MiB. */
#define STORE_HOT_MAX 2048u
#define STORE_WORKING_MAX 4096u

struct advice_header {
	char magic[8];	 /* STORE_ADVICE_MAGIC, without its zero */
	uint32_t format; /* STORE_ADVICE_FORMAT */
	uint32_t invocations;
	uint32_t hot_count, working_count;
	uint8_t key[STORE_KEY_SIZE]; /* of the snapshot */
	uint8_t of[STORE_HASH_SIZE]; /* the hash in its file's header */
	/* of this header, with zeros here, and the numbers */
	uint8_t hash[STORE_HASH_SIZE];
};

_Static_assert(sizeof(struct advice_header) == 120, "format 1");

#define STORE_ADVICE_SIZE_MAX           \
	(sizeof(struct advice_header) + \
	 (STORE_HOT_MAX + STORE_WORKING_MAX) * sizeof(uint32_t))

struct store_advice {
	uint32_t invocations; /* that it was learned from */
	uint32_t hot_count, working_count;
	uint32_t hot[STORE_HOT_MAX], working[STORE_WORKING_MAX];
};

/*
 * Checks @size bytes for being advice on @file, and copies them. 0, or -EBADMSG: they are no
 * good; the message says why.
 */
int store_advice_parse(const struct store_file *file, const void *bytes,
		       size_t size, struct error *err,
		       struct store_advice *ret_advice);

/*
 * Reads the advice on @file, of @store. -ENOENT: there is none; -EBADMSG: it is no good;
 * -EPERM: others may have written it; others from the system.
 */
int store_advice_read(struct store *store, const struct store_file *file,
		      struct error *err, struct store_advice *ret_advice);

/* Removes it, so that other advice can be written. */
void store_advice_remove(struct store *store, const struct store_file *file);

/*
 * Writes @advice on @file, in place of any. Its numbers are sorted, and those that are out of
 * range, or of chunks that do not exist, are left out of it. 0 or -errno.
 */
int store_advice_write(struct store *store, const struct store_file *file,
		       struct store_advice *advice, struct error *err);

#endif
