/*
 * catalog_image.h - checks a function's image, as far as that can be done without a
 * vm. For catalog.c.
 */
#ifndef EXECUTOR_CATALOG_IMAGE_H
#define EXECUTOR_CATALOG_IMAGE_H

#include <stdbool.h>

#include "base/json_reader.h"
#include "executor/catalog_function.h"

/*
 * Refuses the image of @function, whose place is @place, if it cannot be loaded. If
 * @has_entry, the function's name and entry are valid, and an image without that
 * handler is refused. If @is_whole, the function has no mistake so far, and an image
 * that does not fit into its memory, or imports host functions that host.allow does not
 * list, is refused.
 */
int catalog_check_image(const struct json_place *place,
			const struct catalog_function *function, bool has_entry,
			bool is_whole);

/* Refuses a Linux program that cannot be started, as far as that shows without a vm. */
int catalog_check_program(const struct json_place *place,
			  const struct catalog_function *function);

#endif
