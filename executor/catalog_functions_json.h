/* catalog_functions_json.h - typed functions and imports, as JSON. */
#ifndef EXECUTOR_CATALOG_FUNCTIONS_JSON_H
#define EXECUTOR_CATALOG_FUNCTIONS_JSON_H

struct declarations;
struct json_t;

/*
 * Returns a list of @functions, each an object with its name, its signature, the type
 * that it returns, and its parameters. A dispatch function is called "*". The caller
 * owns it. NULL: no memory.
 */
struct json_t *catalog_functions_json(const struct declarations *functions);

/* The same of the host functions that an image imports; parameters have no names. */
struct json_t *catalog_imports_json(const struct declarations *imports);

#endif
