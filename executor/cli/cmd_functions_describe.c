/*
 * cmd_functions_describe.c - `thaw functions describe`: one function of the
 * catalog. With --admin, what a server says, which function_table.c prints.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "executor/catalog.h"
#include "executor/catalog_functions_json.h"
#include "executor/catalog_json.h"
#include "executor/cli/admin.h"
#include "executor/cli/cli.h"
#include "executor/cli/function_table.h"
#include "executor/cli/functions_options.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"
#include "executor/limits.h"
#include "vm/image/image.h"
#include "vm/image/image_declarations.h"
#include "vm/image/open.h"

#define ADMIN_PATH_MAX 256

static const struct cli_option describe_options[] = {
	FUNCTIONS_OPTIONS("table|json", "the form; default table"),
};

static int describe_not_found(const struct http_client *client,
			      const json_t *answer, const char *name)
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

	/* a name never needs escapes in a path */
	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789-_.") != strlen(name) ||
	    strlen(name) > LIMIT_NAME_MAX) {
		cli_error("\"%s\" is no name of a function", name);
		return CLI_NOT_FOUND;
	}
	snprintf(path, sizeof(path), "/v1/functions/%s", name);
	/* the list has the bounds of its buckets, and the other names */
	code = admin_get(client, "/v1/functions", &answer);
	if (!code && !function_table_has(answer, name))
		return describe_not_found(client, answer, name);
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
	code = print_of_server(&client, name, my->format == FUNCTIONS_JSON);
	http_client_done(&client);
	return code;
}

/* Of an image that is there and can be read. */
static void put_functions(json_t *object, const char *path)
{
	struct image *image;
	struct error error;

	if (image_open(path, &error, &image))
		return;
	if (declarations_total(image_functions(image)))
		json_object_set_new(object, "functions",
				    catalog_functions_json(
					    image_functions(image)));
	if (image_imports(image)->count)
		json_object_set_new(object, "imports",
				    catalog_imports_json(image_imports(image)));
	image_close(image);
}

static void print_function(const struct catalog_function *function, bool json)
{
	json_auto_t *object = catalog_function_json(function);

	/* the JSON is what a catalog has of the function, and can go into one */
	if (json) {
		functions_print_json(object);
		return;
	}
	if (function->kind == CATALOG_KIND_NATIVE)
		put_functions(object, function->image);
	function_table_describe_spec(object);
}

static int functions_describe_run(const struct cli_verb *verb, int argc,
				  char **argv)
{
	struct functions_options my = { .catalog = NULL };
	const struct catalog_function *function;
	struct error error;
	struct catalog *catalog;
	const char *name;
	int code = functions_parse(verb, argc, argv, &my, &name);

	if (code == CLI_GO_ON && my.admin)
		return describe_of_server(&my, name);
	if (code == CLI_GO_ON)
		code = functions_load(&my, &catalog);
	if (code != CLI_GO_ON)
		return code;
	code = CLI_OK;
	function = catalog_find(catalog, name);
	if (!function) {
		catalog_not_found(catalog, name, &error);
		cli_error("%s", error.message);
		code = CLI_NOT_FOUND;
	} else {
		print_function(function, my.format == FUNCTIONS_JSON);
	}
	catalog_free(catalog);
	return code;
}

const struct cli_verb cmd_functions_describe = {
	.name = "functions describe",
	.operand = "NAME",
	.summary = "show everything about one function",
	.about =
		"Prints what the catalog says about the function NAME, defaults included, and, as\n"
		"a table, the typed functions and imports that its image declares. With --admin,\n"
		"prints what a running server says about it, including state and counts.\n",
	.examples = "  thaw functions describe hello\n"
		    "  thaw functions describe hello --admin\n"
		    "  thaw functions describe hello -o json\n",
	.options = describe_options,
	.run = functions_describe_run,
};
