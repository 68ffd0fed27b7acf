/* catalog_base.h - functions with a base, while a catalog is read. */
#ifndef EXECUTOR_CATALOG_BASE_H
#define EXECUTOR_CATALOG_BASE_H

#include "base/json_reader.h"

struct catalog_function;
struct json_t;

/*
 * If *@value, a function at @place as it is written, has a base, which is another one of the
 * array @functions, puts a copy in its place that has the base's keys as well, and takes the
 * base's times into @function, which has all defaults. *@by_name is kept for the next call,
 * NULL at first, and freed by the caller. 0; -EINVAL: it was refused; -ENOMEM.
 */
int catalog_base_take(const struct json_place *place, struct json_t **by_name,
		      const struct json_t *functions, struct json_t **value,
		      struct catalog_function *function);

/*
 * Reads the request of the init of @function, at @place, if that is in a file, whose path is
 * resolved. Returns as above.
 */
int catalog_base_read_init(const struct json_place *place,
			   struct catalog_function *function);

#endif
