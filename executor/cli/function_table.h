/* function_table.h - prints a server's functions. */
#ifndef EXECUTOR_CLI_FUNCTION_TABLE_H
#define EXECUTOR_CLI_FUNCTION_TABLE_H

#include <stdbool.h>

struct json_t;

/*
 * Prints a line for each function of an answer to /v1/functions, in its order.
 */
void function_table_print(const struct json_t *answer);

/* Prints only their names. */
void function_table_print_names(const struct json_t *answer);

/* Whether the answer has this name; else the name that was probably meant. */
bool function_table_has(const struct json_t *answer, const char *name);
const char *function_table_similar(const struct json_t *answer,
				   const char *name);

/* Prints everything that a catalog says about one function. */
void function_table_describe_spec(const struct json_t *spec);

/*
 * Prints everything about one function; @answer, to /v1/functions, has the
 * bounds.
 */
void function_table_describe(const struct json_t *function,
			     const struct json_t *answer);

#endif
