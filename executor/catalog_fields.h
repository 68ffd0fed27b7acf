/*
 * catalog_fields.h - between catalog.c, catalog_fields.c and catalog_whole.c: the
 * keys of a function, and how each is checked and stored.
 */
#ifndef EXECUTOR_CATALOG_FIELDS_H
#define EXECUTOR_CATALOG_FIELDS_H

#include "base/json_reader.h"
#include "executor/catalog.h"

/*
 * The keys of an element of "functions", and the part of them that "defaults"
 * may have. Their target is a struct catalog_function; strings read into it
 * are owned by it, also if reading stops half-way. The keys of "defaults"
 * store no pointers, so a struct filled by them may be copied.
 */
extern const struct json_field catalog_function_fields[];
extern const struct json_field catalog_default_fields[];

/* What a function has that says nothing. */
struct catalog_function catalog_builtin_defaults(void);

/*
 * Checks what no field can check alone, and gives the optional strings their
 * empty values. @place is the function's.
 */
int catalog_function_complete(const struct json_place *place,
			      struct catalog_function *function);

#endif
