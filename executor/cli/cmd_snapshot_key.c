/* cmd_snapshot_key.c - `thaw snapshot key`: what a function's snapshot depends on. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "executor/catalog.h"
#include "executor/cli/cli.h"
#include "executor/cli/functions_options.h"
#include "executor/cli/options.h"
#include "executor/cli/snapshot_files.h"
#include "executor/cli/verbs.h"
#include "executor/function.h"
#include "executor/snapshot_key.h"

static const struct cli_option key_options[] = {
	CLI_OPTION_CATALOG(struct snapshot_files, catalog),
	SNAPSHOT_OPTION_FORMAT("table|json",
			       "the key alone, or with what it is made of;\n"
			       "default table"),
	{ .name = NULL },
};

static int print_key(const struct catalog_function *spec, unsigned format)
{
	const struct function_options options = { .dirty = DIRTY_AUTO };
	json_auto_t *key = NULL, *both = NULL;
	uint8_t hash[STORE_KEY_SIZE];
	char name[STORE_NAME_MAX];
	struct error err;
	int r = function_snapshot_key(spec, &options, &err, &key);

	if (r) {
		cli_error("%s", err.message);
		return cli_deploy_code(r);
	}
	if (snapshot_key_hash(key, hash))
		return CLI_INTERNAL;
	store_name(hash, "", name);
	if (format == SNAPSHOT_JSON) {
		both = json_pack("{s:s, s:O}", "key", name, "of", key);
		functions_print_json(both);
	} else {
		puts(name);
	}
	return CLI_OK;
}

static int snapshot_key_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct snapshot_files my = { .format = SNAPSHOT_TABLE };
	const struct catalog_function *spec;
	struct functions_options functions = { .catalog = NULL };
	struct catalog *catalog;
	struct error err;
	const char *name;
	int code = cli_parse(verb, argc, argv, &my, &name);

	if (code == CLI_GO_ON)
		code = cli_require_kvm();
	functions.catalog = my.catalog;
	if (code == CLI_GO_ON)
		code = functions_load(&functions, &catalog);
	if (code != CLI_GO_ON)
		return code;
	spec = catalog_find(catalog, name);
	if (!spec) {
		catalog_not_found(catalog, name, &err);
		cli_error("%s", err.message);
		code = CLI_NOT_FOUND;
	} else {
		code = print_key(spec, my.format);
	}
	catalog_free(catalog);
	return code;
}

const struct cli_verb cmd_snapshot_key = {
	.name = "snapshot key",
	.operand = "NAME",
	.summary = "show what a function's snapshot is keyed by",
	.about =
		"Prints the key of the snapshot that the function NAME of the catalog has on this\n"
		"machine; as JSON, with all that the key is the hash of. What differs between two\n"
		"keys is why a function is booted again. The environment is there only as a hash.\n",
	.examples = "  thaw snapshot key hello\n"
		    "  thaw snapshot key hello -o json >now.json\n",
	.options = key_options,
	.run = snapshot_key_run,
};
