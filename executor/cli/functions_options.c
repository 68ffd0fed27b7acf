/* functions_options.c - see functions_options.h. */
#include "executor/cli/functions_options.h"

#include <jansson.h>
#include <stdio.h>

#include "executor/catalog.h"

int functions_load(const struct functions_options *my,
		   struct catalog **ret_catalog)
{
	const char *path = cli_catalog_path(my->catalog);
	struct error error;
	int r;

	if (!path)
		return CLI_USAGE;
	r = catalog_load(path, &error, ret_catalog);
	if (!r)
		return CLI_GO_ON;
	cli_error("%s", error.message);
	return cli_open_code(r);
}

int functions_parse(const struct cli_verb *verb, int argc, char **argv,
		    struct functions_options *my, const char **ret_name)
{
	int code = cli_parse(verb, argc, argv, my, ret_name);

	if (code != CLI_GO_ON || !my->catalog || !my->admin)
		return code;
	cli_error("%s: --catalog and --admin exclude each other", verb->name);
	return CLI_USAGE;
}

void functions_print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
}
