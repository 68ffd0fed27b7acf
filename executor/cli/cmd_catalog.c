/* cmd_catalog.c - `thaw catalog`: checks a catalog, prints the schema. */
#include <stdio.h>

#include "executor/catalog.h"
#include "executor/cli/cli.h"
#include "executor/cli/verbs.h"

/* config/catalog.schema.json, put into the program when it is built. */
extern const char catalog_schema[];
__asm__(".pushsection .rodata\n"
	".globl catalog_schema\n"
	"catalog_schema:\n"
	".incbin \"" CATALOG_SCHEMA_FILE "\"\n"
	".byte 0\n"
	".popsection\n");

static int validate(const struct cli_verb *verb, int argc, char **argv)
{
	struct catalog *catalog;
	const char *path;
	struct error error;
	int code, r;

	code = cli_parse(verb, argc, argv, NULL, &path);
	if (code != CLI_GO_ON)
		return code;
	path = cli_catalog_path(path);
	if (!path)
		return CLI_USAGE;
	r = catalog_load(path, &error, &catalog);
	if (r) {
		cli_error("%s", error.message);
		return cli_open_code(r);
	}
	printf("%s: valid, %zu function%s\n", path, catalog->count,
	       catalog->count == 1 ? "" : "s");
	catalog_free(catalog);
	return CLI_OK;
}

static int schema(const struct cli_verb *verb, int argc, char **argv)
{
	int code = cli_parse(verb, argc, argv, NULL, NULL);

	if (code != CLI_GO_ON)
		return code;
	fputs(catalog_schema, stdout);
	return CLI_OK;
}

const struct cli_verb cmd_catalog_validate = {
	.name = "catalog validate",
	.operand = "[FILE]",
	.summary = "check a catalog",
	.about = "Reads the catalog FILE (else $THAW_CATALOG, else "
		 "config/functions.json) and says\n"
		 "whether it is valid; if not, the line and the JSON pointer "
		 "of its first mistake.\n"
		 "Images must exist; they are not booted.\n",
	.examples = "  thaw catalog validate\n"
		    "  thaw catalog validate /etc/thaw/functions.json\n",
	.run = validate,
};

const struct cli_verb cmd_catalog_schema = {
	.name = "catalog schema",
	.summary = "print the JSON schema of catalogs",
	.about = "Prints the JSON schema (draft 2020-12) of catalogs, for "
		 "editors: save it and name\n"
		 "it in the catalog's \"$schema\".\n",
	.examples = "  thaw catalog schema >catalog.schema.json\n",
	.run = schema,
};
