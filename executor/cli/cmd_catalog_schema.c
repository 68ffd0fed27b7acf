/* cmd_catalog_schema.c - `thaw catalog schema`: prints the JSON schema. */
#include <stdio.h>

#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

/* config/catalog.schema.json, put into the program when it is built. */
extern const char catalog_schema[];
__asm__(".pushsection .rodata\n"
	".globl catalog_schema\n"
	"catalog_schema:\n"
	".incbin \"" CATALOG_SCHEMA_FILE "\"\n"
	".byte 0\n"
	".popsection\n");

static int catalog_schema_run(const struct cli_verb *verb, int argc,
			      char **argv)
{
	int code = cli_parse(verb, argc, argv, NULL, NULL);

	if (code != CLI_GO_ON)
		return code;
	fputs(catalog_schema, stdout);
	return CLI_OK;
}

const struct cli_verb cmd_catalog_schema = {
	.name = "catalog schema",
	.summary = "print the JSON schema of catalogs",
	.about =
		"Prints the JSON schema (draft 2020-12) of catalogs for editors. Save it, and name\n"
		"the file in the catalog's \"$schema\".\n",
	.examples = "  thaw catalog schema >catalog.schema.json\n",
	.run = catalog_schema_run,
};
