/*
 * cmd_functions.c - `thaw functions`: what is in the catalog. With --admin,
 * what a server says, which function_table.c prints.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "executor/catalog.h"
#include "executor/catalog_json.h"
#include "executor/cli/admin_client.h"
#include "executor/cli/cli.h"
#include "executor/cli/function_table.h"
#include "executor/cli/verbs.h"
#include "executor/limits.h"

#define ADMIN_PATH_MAX 256

/* In the order of the words of --output. */
enum format {
	FORMAT_TABLE,
	FORMAT_JSON,
	FORMAT_NAME,
};

struct functions_options {
	const char *catalog;
	const char *admin; /* not NULL: ask the server there */
	unsigned format;
};

#define OPTIONS(formats, help)                                   \
	CLI_OPTION_CATALOG(struct functions_options, catalog),   \
		{ 0,                                             \
		  "admin",                                       \
		  "[ADDR]",                                      \
		  "as a running server sees them; ADDR as for\n" \
		  "`thaw status`",                               \
		  cli_set_text,                                  \
		  offsetof(struct functions_options, admin),     \
		  0 },                                           \
		{ 'o',                                           \
		  "output",                                      \
		  formats,                                       \
		  help,                                          \
		  cli_set_choice,                                \
		  offsetof(struct functions_options, format),    \
		  0 },                                           \
	{                                                        \
		.name = NULL                                     \
	}

static const struct cli_option list_options[] = {
	OPTIONS("table|json|name",
		"the form; default table; name: names alone"),
};

static const struct cli_option describe_options[] = {
	OPTIONS("table|json", "the form; default table"),
};

/* Quantities as text; compound literals live to the end of their block. */
#define SIZE(bytes) units_format_size(bytes, (char[UNITS_TEXT_MAX]){ 0 })
#define DURATION(ns) units_format_duration(ns, (char[UNITS_TEXT_MAX]){ 0 })

static void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
}

static void list_json(const struct catalog *catalog)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < catalog->count; i++)
		json_array_append_new(list, catalog_function_json(
						    &catalog->functions[i]));
	print_json(list);
}

static void list_table(const struct catalog *catalog)
{
	int width = (int)strlen("NAME");

	for (size_t i = 0; i < catalog->count; i++)
		if ((int)strlen(catalog->functions[i].name) > width)
			width = (int)strlen(catalog->functions[i].name);
	printf("%-*s  %-8s  %-8s  %-5s  %s\n", width, "NAME", "MEMORY",
	       "TIMEOUT", "VMS", "DESCRIPTION");
	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_function *f = &catalog->functions[i];

		printf("%-*s  %-8s  %-8s  %-5u  %s\n", width, f->name,
		       SIZE(f->memory), DURATION(f->timeout_ns),
		       f->concurrency.max, f->description);
	}
}

static void list_names(const struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->count; i++)
		puts(catalog->functions[i].name);
}

/* The catalog, as the options say. */
static int load(struct functions_options *my, struct catalog **ret_catalog)
{
	struct error error;
	int r;

	my->catalog = cli_catalog_path(my->catalog);
	if (!my->catalog)
		return CLI_USAGE;
	r = catalog_load(my->catalog, &error, ret_catalog);
	if (!r)
		return CLI_GO_ON;
	cli_error("%s", error.message);
	return cli_open_code(r);
}

static int parse(const struct cli_verb *verb, int argc, char **argv,
		 struct functions_options *my, const char **ret_name)
{
	int code = cli_parse(verb, argc, argv, my, ret_name);

	if (code != CLI_GO_ON || !my->catalog || !my->admin)
		return code;
	cli_error("%s: --catalog and --admin exclude each other", verb->name);
	return CLI_USAGE;
}

static int list_of_server(const struct functions_options *my)
{
	struct http_client client;
	json_auto_t *answer = NULL;
	int code = admin_open(my->admin, &client);

	if (code != CLI_GO_ON)
		return code;
	code = admin_get(&client, "/v1/functions", &answer);
	if (!code && my->format == FORMAT_JSON)
		admin_print_body(&client);
	else if (!code && my->format == FORMAT_NAME)
		function_table_print_names(answer);
	else if (!code)
		function_table_print(answer);
	http_client_done(&client);
	return code;
}

static int list(const struct cli_verb *verb, int argc, char **argv)
{
	struct functions_options my = { .catalog = NULL };
	struct catalog *catalog;
	int code = parse(verb, argc, argv, &my, NULL);

	if (code == CLI_GO_ON && my.admin)
		return list_of_server(&my);
	if (code == CLI_GO_ON)
		code = load(&my, &catalog);
	if (code != CLI_GO_ON)
		return code;
	if (my.format == FORMAT_JSON)
		list_json(catalog);
	else if (my.format == FORMAT_NAME)
		list_names(catalog);
	else
		list_table(catalog);
	catalog_free(catalog);
	return CLI_OK;
}

static int not_found(const struct http_client *client, const json_t *answer,
		     const char *name)
{
	const char *server = http_address_name(&client->address);
	char clean[LIMIT_NAME_MAX + 1];
	const char *similar = function_table_similar(answer, name);

	if (similar)
		cli_error("%s: no function %s: did you mean %s?", server, name,
			  cli_clean(similar, clean, sizeof(clean)));
	else
		cli_error("%s: no function %s: see `thaw functions list "
			  "--admin`",
			  server, name);
	return CLI_NOT_FOUND;
}

static int print_of_server(struct http_client *client, const char *name,
			   bool json)
{
	json_auto_t *function = NULL, *answer = NULL;
	char path[ADMIN_PATH_MAX];
	int code;

	/* what needs escapes in a path is no name */
	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789-_.") != strlen(name) ||
	    strlen(name) > LIMIT_NAME_MAX) {
		cli_error("\"%s\" is no name of a function", name);
		return CLI_NOT_FOUND;
	}
	snprintf(path, sizeof(path), "/v1/functions/%s", name);
	/* the bounds of its buckets, and the others' names, are in the list */
	code = admin_get(client, "/v1/functions", &answer);
	if (!code && !function_table_has(answer, name))
		return not_found(client, answer, name);
	if (!code)
		code = admin_get(client, path, &function);
	if (code)
		return code;
	if (json)
		admin_print_body(client);
	else
		function_table_describe(function, answer);
	return CLI_OK;
}

static int describe_of_server(const struct functions_options *my,
			      const char *name)
{
	struct http_client client;
	int code = admin_open(my->admin, &client);

	if (code != CLI_GO_ON)
		return code;
	code = print_of_server(&client, name, my->format == FORMAT_JSON);
	http_client_done(&client);
	return code;
}

static void print_function(const struct catalog_function *function, bool json)
{
	json_auto_t *object = catalog_function_json(function);

	if (json)
		print_json(object);
	else
		function_table_describe_spec(object);
}

static int describe(const struct cli_verb *verb, int argc, char **argv)
{
	struct functions_options my = { .catalog = NULL };
	const struct catalog_function *function;
	struct error error;
	struct catalog *catalog;
	const char *name;
	int code = parse(verb, argc, argv, &my, &name);

	if (code == CLI_GO_ON && my.admin)
		return describe_of_server(&my, name);
	if (code == CLI_GO_ON)
		code = load(&my, &catalog);
	if (code != CLI_GO_ON)
		return code;
	code = CLI_OK;
	function = catalog_find(catalog, name);
	if (!function) {
		catalog_not_found(catalog, name, &error);
		cli_error("%s", error.message);
		code = CLI_NOT_FOUND;
	} else {
		print_function(function, my.format == FORMAT_JSON);
	}
	catalog_free(catalog);
	return code;
}

const struct cli_verb cmd_functions_list = {
	.name = "functions list",
	.summary = "list the functions of the catalog, or of a server",
	.about = "Lists the functions in the order of the catalog. The JSON "
		 "form has every key of\n"
		 "the catalog, defaults included.\n"
		 "\n"
		 "With --admin: those of a running server, with their state, "
		 "vms and counts; the\n"
		 "JSON form is what it answers to GET /v1/functions.\n",
	.examples = "  thaw functions list\n"
		    "  thaw functions list -o json | jq -r '.[].name'\n"
		    "  thaw functions list --admin\n",
	.options = list_options,
	.run = list,
};

const struct cli_verb cmd_functions_describe = {
	.name = "functions describe",
	.operand = "NAME",
	.summary = "show everything about one function",
	.about = "Prints what the catalog says about the function NAME, "
		 "defaults included; or,\n"
		 "with --admin, what a running server says about it: its "
		 "state and counts too.\n",
	.examples = "  thaw functions describe hello\n"
		    "  thaw functions describe hello --admin\n"
		    "  thaw functions describe hello -o json\n",
	.options = describe_options,
	.run = describe,
};
