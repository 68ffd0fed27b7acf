/*
 * snapshot_key.h - what a function's snapshot depends on, and its file's manifest.
 *
 * The key is a JSON object with all that shapes a guest: this thaw's side of it, the
 * architecture, the image's segments, and what the catalog says that reaches the guest. A file is
 * called by the hash of that object, so what changes any of it has another file. Values
 * of the environment are there only as a hash. The file itself says which CPUs it is for.
 */
#ifndef EXECUTOR_SNAPSHOT_KEY_H
#define EXECUTOR_SNAPSHOT_KEY_H

#include <stdint.h>

#include "base/error.h"
#include "snapshot/store/format.h"

struct catalog_function;
struct image;
struct json_t;
struct snapshot;
struct snapshot_options;

/*
 * Returns the object in *@ret_key, which the caller owns, for a boot of @image with
 * @options. -ENOMEM.
 */
int snapshot_key_json(const struct image *image,
		      const struct snapshot_options *options, struct error *err,
		      struct json_t **ret_key);

/*
 * The same for a boot of the Linux program @spec, which is linked to nothing: the files of
 * the host that it reads are in its snapshot's file, and compared when it is loaded.
 */
int snapshot_key_program(const struct catalog_function *spec,
			 const struct snapshot_options *options,
			 struct error *err, struct json_t **ret_key);

/*
 * The same for the function @spec of @image: if it has a base, the key of that, and what its
 * init does to the base's guest.
 */
int snapshot_key_function(const struct catalog_function *spec,
			  const struct image *image,
			  const struct snapshot_options *options,
			  struct error *err, struct json_t **ret_key);

/* Frees such an object; NULL is fine. */
void snapshot_key_free(struct json_t *key);

/* The hash of such an object. 0 or -ENOMEM. */
int snapshot_key_hash(const struct json_t *key, uint8_t hash[STORE_KEY_SIZE]);

/*
 * Returns the manifest of the snapshot of function @name: the key, the image's path, the
 * handlers and typed functions. @image NULL: it is a Linux program, which has none. A text
 * that the caller frees; NULL: no memory.
 */
char *snapshot_manifest(const char *name, const char *path,
			const struct json_t *key, const struct image *image,
			const struct snapshot *snapshot);

#endif
