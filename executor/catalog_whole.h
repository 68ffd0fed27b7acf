/*
 * catalog_whole.h - what a catalog's function is beyond its keys: the defaults, and
 * the checks that concern several keys. For catalog.c.
 */
#ifndef EXECUTOR_CATALOG_WHOLE_H
#define EXECUTOR_CATALOG_WHOLE_H

#include "base/json_reader.h"
#include "executor/catalog_function.h"

/* A function whose entry sets nothing: the default of every key. */
struct catalog_function catalog_builtin_defaults(void);

/*
 * Checks what no field can check alone, and gives the optional strings their
 * empty values. @place is the function's.
 */
int catalog_function_complete(const struct json_place *place,
			      struct catalog_function *function);

#endif
