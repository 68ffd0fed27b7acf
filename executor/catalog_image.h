/*
 * catalog_image.h - between catalog.c and catalog_image.c: what the image of a
 * function is, as far as that is to be seen without a vm.
 */
#ifndef EXECUTOR_CATALOG_IMAGE_H
#define EXECUTOR_CATALOG_IMAGE_H

#include <stdbool.h>

#include "base/json_reader.h"
#include "executor/catalog_function.h"

/*
 * Refuses the image of @function, which stands at @place, if it cannot be loaded,
 * or has not the handler, unless @has_entry is false: that what would choose it is
 * a mistake. If @is_whole, there is none in the function, so that it can be told
 * whether the image fits into the memory.
 */
int catalog_check_image(const struct json_place *place,
			const struct catalog_function *function, bool has_entry,
			bool is_whole);

#endif
