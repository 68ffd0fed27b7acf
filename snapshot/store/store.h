/*
 * store.h - a directory of snapshots, one file each, which executors share.
 *
 *	store_open("/var/lib/thaw", STORE_SIZE_DEFAULT, &err, &store)
 *	store_find(store, &machine, key, NULL, &err, &file)	a verified file, or a reason
 *	store_put(store, &machine, &content, &err)	writes one
 *	store_close(store)
 *
 * A file is called by its key: 64 hexadecimal digits and STORE_SUFFIX. Beside it is what
 * vouches for it (vouch.h), with STORE_VOUCH_SUFFIX, and what has been learned of it
 * (advice.h), with STORE_ADVICE_SUFFIX: they go when it goes. A file that is no good is moved
 * aside: STORE_BAD_SUFFIX; STORE_BAD_MAX of those are kept. Files that are being
 * written have other names, and those that a crash has left are removed.
 *
 * The directory belongs to this user, and nobody else may write to it. Nothing that
 * happens in it does more harm than that a function is booted again. Any thread.
 */
#ifndef SNAPSHOT_STORE_STORE_H
#define SNAPSHOT_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "snapshot/store/file.h"
#include "snapshot/store/writer.h"

#define STORE_SUFFIX ".thaw"
#define STORE_VOUCH_SUFFIX ".ok"
#define STORE_ADVICE_SUFFIX ".pages"
#define STORE_BAD_SUFFIX ".bad"
#define STORE_NAME_MAX (2 * STORE_KEY_SIZE + 8)

/* Bytes of the disk that files may take. */
#define STORE_SIZE_DEFAULT (UINT64_C(4) << 30)
#define STORE_SIZE_MAX (UINT64_C(1) << 50)
/* Files that were no good and are kept, the last ones. */
#define STORE_BAD_MAX 4
/* The most files that are looked at; others are as if they were not there. */
#define STORE_FILES_MAX 65536

struct store;

/*
 * Opens the directory @path, which is made if it is not there; but not those above it.
 * @size_max is what its files may take. The caller closes *@ret_store. -EPERM: it belongs
 * to another user, or others may write to it; others from the system.
 */
int store_open(const char *path, uint64_t size_max, struct error *err,
	       struct store **ret_store);

/* NULL is fine. Files that were found stay open. */
void store_close(struct store *store);

/* The name of the file with @key. */
void store_name(const uint8_t key[STORE_KEY_SIZE], const char *suffix,
		char name[STORE_NAME_MAX]);

/*
 * Finds the file with @key, for @machine. Its memory is verified unless it has been
 * before. On success the caller closes *@ret_file. -ENOENT: there is none. -EBADMSG,
 * -ESTALE: it was no good, the message says why, and it has been moved aside. -ESHUTDOWN:
 * @pause, which is called meanwhile and may be NULL, has said so. Others as
 * store_file_open().
 */
int store_find(struct store *store, const struct store_machine *machine,
	       const uint8_t key[STORE_KEY_SIZE],
	       const struct store_pause *pause, struct error *err,
	       struct store_file *ret_file);

/*
 * Whether store_find() would find the file with @key without reading its memory: its parts
 * before the memory are good, and it has been verified before. *@ret_bytes are those of
 * the memory that exist. The file's use is not noted.
 */
bool store_has(const struct store *store, const struct store_machine *machine,
	       const uint8_t key[STORE_KEY_SIZE], uint64_t *ret_bytes);

/* A caller of store_find() has found the file with @key to be no good: moves it aside. */
void store_reject(struct store *store, const uint8_t key[STORE_KEY_SIZE],
		  const struct store_file *file);

/*
 * The same caller has found that the file, which is good, is of no use any more: removes
 * it. Those who have it open keep it.
 */
void store_forget(struct store *store, const uint8_t key[STORE_KEY_SIZE],
		  const struct store_file *file);

/*
 * Writes a file, unless there is one with its key, for @machine. Those that were used
 * least recently are removed, if they are not in use, until all take no more than
 * allowed, and once more if the disk is full. 0; -EFBIG: it is larger than that alone;
 * -ENOSPC: the others are in use, or the disk is full; or as store_write().
 */
int store_put(struct store *store, const struct store_machine *machine,
	      const struct store_content *content, struct error *err);

/*
 * The second half of that: makes room for a file that was written, and gives it the name
 * of @key. The caller ends @written by store_written_abort() in any case.
 */
int store_adopt(struct store *store, struct store_written *written,
		const uint8_t key[STORE_KEY_SIZE], struct error *err);

/* A file of the directory. */
struct store_entry {
	char name[STORE_NAME_MAX];
	uint64_t bytes; /* of the disk, with what was learned of it */
	int64_t used_s; /* seconds since 1970: used, or written, last */
	bool is_used;	/* somebody has it open */
	bool is_bad;	/* it was moved aside */
};

/* Counts the snapshot with @key as used now, as store_find() does. */
void store_use(struct store *store, const uint8_t key[STORE_KEY_SIZE]);

/*
 * Lists the files, the one used least recently first. The caller frees *@ret_entries.
 * 0 or -errno.
 */
int store_list(struct store *store, struct error *err,
	       struct store_entry **ret_entries, size_t *ret_count);

/*
 * Removes the file @name, of store_list(). -EBUSY: somebody has it open; -ENOENT: there
 * is none; or another -errno.
 */
int store_remove(struct store *store, const char *name, struct error *err);

/*
 * Verifies the file @name, whether or not it has been before; moves it aside if it is
 * damaged. Of any machine. Errors as store_find().
 */
int store_verify(struct store *store, const char *name,
		 const struct store_pause *pause, struct error *err);

/* The directory, for store_file_open(). */
int store_directory(const struct store *store);

#endif
