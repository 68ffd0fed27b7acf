/*
 * catalog_json.h - a function as a catalog would have it with nothing left out.
 */
#ifndef EXECUTOR_CATALOG_JSON_H
#define EXECUTOR_CATALOG_JSON_H

#include "executor/catalog_function.h"

struct json_t;

/*
 * An object with the keys of a catalog, but for an entry that the image chooses;
 * the caller's. What is not UTF-8 is cleaned. NULL if there is no memory.
 */
struct json_t *catalog_function_json(const struct catalog_function *function);

#endif
