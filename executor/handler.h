/*
 * handler.h - chooses the handler of an image that a function calls: by the file
 * before the guest is booted, by what the guest has said afterwards.
 */
#ifndef EXECUTOR_HANDLER_H
#define EXECUTOR_HANDLER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "executor/catalog_function.h"
#include "snapshot/snapshot.h"
#include "vm/image/image.h"

struct declaration;
struct declarations;

/*
 * Whether the requests of @spec are calls of its typed functions, @functions: of the
 * one that its entry names, if no handler is called like that; without an entry of all,
 * and *@ret_only is NULL.
 */
bool handler_is_typed(const struct catalog_function *spec,
		      const struct image *image,
		      const struct declarations *functions,
		      const struct declaration **ret_only);

/*
 * Returns the index of the handler that @spec names as its entry. Without an entry it
 * is the image's only handler, or the one that is named like the function. -ENOENT:
 * there is none; the message lists the handlers that there are, and, by the image, the
 * typed functions.
 */
int handler_of_image(const struct catalog_function *spec,
		     const struct image *image,
		     const struct declarations *functions, struct error *err);
int handler_of_snapshot(const struct catalog_function *spec,
			const struct snapshot *snapshot, struct error *err);

#endif
