/*
 * catalog_json.h - writes a function as a catalog that leaves nothing out has it.
 */
#ifndef EXECUTOR_CATALOG_JSON_H
#define EXECUTOR_CATALOG_JSON_H

#include "executor/catalog_function.h"

struct json_t;

/*
 * Returns an object with the keys of a catalog, without "entry" if the image chooses
 * that. Text that is not UTF-8 is cleaned. The caller owns it. NULL: no memory.
 */
struct json_t *catalog_function_json(const struct catalog_function *function);

#endif
