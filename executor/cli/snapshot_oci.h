/*
 * snapshot_oci.h - snapshots as OCI image layouts, which other programs move and
 * registries hold: https://github.com/opencontainers/image-spec (image-layout.md).
 *
 * An image has the manifest of the snapshot's file as its configuration, and the file
 * itself as its only layer.
 */
#ifndef EXECUTOR_CLI_SNAPSHOT_OCI_H
#define EXECUTOR_CLI_SNAPSHOT_OCI_H

#include <stdint.h>

#include "base/error.h"
#include "snapshot/store/store.h"

/* The most images of a layout that are imported, and bytes of its JSON files. */
#define SNAPSHOT_OCI_IMAGES_MAX 256
#define SNAPSHOT_OCI_JSON_MAX (1u << 20)

/*
 * Writes the file @name of @store to the directory @path, which must not exist. Errors as
 * store_export().
 */
int snapshot_oci_export(struct store *store, const char *name, const char *path,
			struct error *err);

/*
 * Imports all snapshots of the layout in @path, and tells @imported the name of each.
 * -EBADMSG: the layout, or a file in it, is no good; those before it stay. Others as
 * store_import().
 */
int snapshot_oci_import(struct store *store, const char *path,
			void (*imported)(struct store *store, const char *name),
			struct error *err);

#endif
