/*
 * cmd_functions_list.c - `thaw functions list`: what is in the catalog. With
 * --admin, what a server says, which function_table.c prints.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "executor/catalog.h"
#include "executor/catalog_json.h"
#include "executor/cli/admin.h"
#include "executor/cli/cli.h"
#include "executor/cli/function_table.h"
#include "executor/cli/functions_options.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

static const struct cli_option list_options[] = {
	FUNCTIONS_OPTIONS("table|json|name",
			  "the form; default table; name prints only names"),
};

/* Format quantities; a compound literal lives until its block ends. */
#define SIZE(bytes) units_format_size(bytes, (char[UNITS_TEXT_MAX]){ 0 })
#define DURATION(ns) units_format_duration(ns, (char[UNITS_TEXT_MAX]){ 0 })

static void list_json(const struct catalog *catalog)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < catalog->count; i++)
		json_array_append_new(list, catalog_function_json(
						    &catalog->functions[i]));
	functions_print_json(list);
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

static int list_of_server(const struct functions_options *my)
{
	struct http_client client;
	json_auto_t *answer = NULL;
	int code = admin_open(my->admin, &client);

	if (code != CLI_GO_ON)
		return code;
	code = admin_get(&client, "/v1/functions", &answer);
	if (!code && my->format == FUNCTIONS_JSON)
		admin_print_body(&client);
	else if (!code && my->format == FUNCTIONS_NAME)
		function_table_print_names(answer);
	else if (!code)
		function_table_print(answer);
	http_client_done(&client);
	return code;
}

static int functions_list_run(const struct cli_verb *verb, int argc,
			      char **argv)
{
	struct functions_options my = { .catalog = NULL };
	struct catalog *catalog;
	int code = functions_parse(verb, argc, argv, &my, NULL);

	if (code == CLI_GO_ON && my.admin)
		return list_of_server(&my);
	if (code == CLI_GO_ON)
		code = functions_load(&my, &catalog);
	if (code != CLI_GO_ON)
		return code;
	if (my.format == FUNCTIONS_JSON)
		list_json(catalog);
	else if (my.format == FUNCTIONS_NAME)
		list_names(catalog);
	else
		list_table(catalog);
	catalog_free(catalog);
	return CLI_OK;
}

const struct cli_verb cmd_functions_list = {
	.name = "functions list",
	.summary = "list the functions of the catalog, or of a server",
	.about =
		"Lists the functions in the order of the catalog. The JSON form has every key of\n"
		"the catalog, defaults included.\n"
		"\n"
		"With --admin, lists the functions of a running server with their state, vms and\n"
		"counts. The JSON form is then the server's answer to GET /v1/functions.\n",
	.examples = "  thaw functions list\n"
		    "  thaw functions list -o json | jq -r '.[].name'\n"
		    "  thaw functions list --admin\n",
	.options = list_options,
	.run = functions_list_run,
};
