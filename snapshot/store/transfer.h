/* transfer.h - copies snapshots' files out of a store, and into one. */
#ifndef SNAPSHOT_STORE_TRANSFER_H
#define SNAPSHOT_STORE_TRANSFER_H

#include <stdint.h>

#include "base/error.h"
#include "snapshot/store/store.h"

/* The most bytes that a snapshot's file has. */
#define STORE_FILE_MAX ((uint64_t)LAYOUT_MEMORY_MAX + (4u << 20))

#define STORE_SHA256_SIZE 32

/*
 * Verifies the file @name, and copies all of it to @fd, which is empty: holes stay holes.
 * Returns the hash and the size of what was copied. Errors as store_find(), or from the
 * system.
 */
int store_export(struct store *store, const char *name, int fd,
		 struct error *err, uint8_t sha256[STORE_SHA256_SIZE],
		 uint64_t *ret_size);

/*
 * Copies the file @fd of @size bytes, which must have that hash, into the store, once all
 * of it is found to be good. It may be of any machine: it gets the name of its own key,
 * which is in @name then. 0; -EBADMSG: it is no good; -ESTALE: it has another format; or
 * as store_put().
 */
int store_import(struct store *store, int fd, uint64_t size,
		 const uint8_t sha256[STORE_SHA256_SIZE], struct error *err,
		 char name[STORE_NAME_MAX]);

#endif
