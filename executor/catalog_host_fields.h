/*
 * catalog_host_fields.h - the keys of a function's "host" in a catalog, and how each is
 * checked and stored. For catalog_fields.c and catalog.c.
 */
#ifndef EXECUTOR_CATALOG_HOST_FIELDS_H
#define EXECUTOR_CATALOG_HOST_FIELDS_H

#include "base/json_reader.h"

struct catalog_function;

/* "allow", "config" and "secrets", as json_field_fn; @target is a struct catalog_function. */
int catalog_host_read_allow(const struct json_place *place, json_t *value,
			    const struct json_field *field, void *target);
int catalog_host_read_config(const struct json_place *place, json_t *value,
			     const struct json_field *field, void *target);
int catalog_host_read_secrets(const struct json_place *place, json_t *value,
			      const struct json_field *field, void *target);

/*
 * Reads the files of the secrets of @function, which is at @place; their paths are
 * resolved. Returns as json_field_fn.
 */
int catalog_host_read_secret_files(const struct json_place *place,
				   struct catalog_function *function);

/*
 * Refuses each "invoke:FUNCTION" of the @count @functions, which are at @place, that
 * names none of them. @by_name are those that have a name, sorted by it, and NULL for
 * each of the others. Returns as json_field_fn.
 */
int catalog_host_check_invokes(const struct json_place *place,
			       const struct catalog_function *functions,
			       const struct catalog_function **by_name,
			       size_t count);

#endif
