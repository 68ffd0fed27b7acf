/*
 * functions_options.h - what `thaw functions list` and `describe` share: their
 * options, and the catalog to read.
 */
#ifndef EXECUTOR_CLI_FUNCTIONS_OPTIONS_H
#define EXECUTOR_CLI_FUNCTIONS_OPTIONS_H

#include "executor/cli/options.h"

struct catalog;
struct json_t; /* jansson's */

/* In the order of the words of --output. */
enum functions_format {
	FUNCTIONS_TABLE,
	FUNCTIONS_JSON,
	FUNCTIONS_NAME,
};

struct functions_options {
	const char *catalog;
	const char *admin; /* not NULL: ask the server there */
	unsigned format;   /* enum functions_format */
};

/* The entries of their tables; @formats are the alternatives of --output. */
#define FUNCTIONS_OPTIONS(formats, help)                             \
	CLI_OPTION_CATALOG(struct functions_options, catalog),       \
		{ 0,                                                 \
		  "admin",                                           \
		  "[ADDR]",                                          \
		  "ask a running server; ADDR as for `thaw status`", \
		  cli_set_text,                                      \
		  offsetof(struct functions_options, admin),         \
		  0 },                                               \
		{ 'o',                                               \
		  "output",                                          \
		  formats,                                           \
		  help,                                              \
		  cli_set_choice,                                    \
		  offsetof(struct functions_options, format),        \
		  0 },                                               \
	{                                                            \
		.name = NULL                                         \
	}

/* Calls cli_parse(), and refuses --catalog together with --admin. */
int functions_parse(const struct cli_verb *verb, int argc, char **argv,
		    struct functions_options *my, const char **ret_name);

/*
 * Loads the catalog that @my names, else the default one. Returns CLI_GO_ON and
 * the catalog, which the caller frees, or an exit code after a message.
 */
int functions_load(const struct functions_options *my,
		   struct catalog **ret_catalog);

/* Prints JSON on standard output, with indentation. */
void functions_print_json(const struct json_t *value);

#endif
