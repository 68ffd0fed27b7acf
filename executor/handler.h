/*
 * handler.h - which of an image's handlers a function has: before it is booted,
 * as the file tells, and afterwards, as the guest does.
 */
#ifndef EXECUTOR_HANDLER_H
#define EXECUTOR_HANDLER_H

#include <stddef.h>

#include "base/error.h"
#include "executor/catalog_function.h"
#include "snapshot/snapshot.h"
#include "vm/image/image.h"

/*
 * The index of the handler asked for by @spec; else of the one named like the
 * function, or of the only one. -ENOENT, with those there are.
 */
int handler_of_image(const struct catalog_function *spec,
		     const struct image *image, struct error *err);
int handler_of_snapshot(const struct catalog_function *spec,
			const struct snapshot *snapshot, struct error *err);

#endif
