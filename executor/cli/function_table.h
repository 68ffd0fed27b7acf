/* function_table.h - a server's functions, printed for people. */
#ifndef EXECUTOR_CLI_FUNCTION_TABLE_H
#define EXECUTOR_CLI_FUNCTION_TABLE_H

#include <stdbool.h>

struct json_t;

/* A line for each function of an answer to /v1/functions, in its order. */
void function_table_print(const struct json_t *answer);

/* Only their names. */
void function_table_print_names(const struct json_t *answer);

/* Whether there is one of that name; else the name that was probably meant. */
bool function_table_has(const struct json_t *answer, const char *name);
const char *function_table_similar(const struct json_t *answer,
				   const char *name);

/* What a catalog says about one function, with nothing left out. */
void function_table_describe_spec(const struct json_t *spec);

/* All about one function; @answer, to /v1/functions, has the bounds. */
void function_table_describe(const struct json_t *function,
			     const struct json_t *answer);

#endif
