/*
 * catalog_fields.h - the keys of a function in a catalog, and how each is checked
 * and stored. For catalog.c.
 */
#ifndef EXECUTOR_CATALOG_FIELDS_H
#define EXECUTOR_CATALOG_FIELDS_H

#include "base/json_reader.h"
#include "executor/catalog_function.h"

/*
 * The keys of an element of "functions", and the part of them that "defaults"
 * may have. Their target is a struct catalog_function; strings read into it
 * are owned by it, also if reading stops half-way. The keys of "defaults"
 * store no pointers, so a struct filled by them may be copied.
 */
extern const struct json_field catalog_function_fields[];
extern const struct json_field catalog_default_fields[];

#endif
