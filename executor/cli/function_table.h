/* function_table.h - a server's functions, printed for people. */
#ifndef EXECUTOR_CLI_FUNCTION_TABLE_H
#define EXECUTOR_CLI_FUNCTION_TABLE_H

struct json_t;

/* A line for each function of an answer to /v1/functions, in its order. */
void function_table_print(const struct json_t *answer);

/* Only their names. */
void function_table_print_names(const struct json_t *answer);

/* All about one function; @answer, to /v1/functions, has the bounds. */
void function_table_describe(const struct json_t *function,
			     const struct json_t *answer);

#endif
