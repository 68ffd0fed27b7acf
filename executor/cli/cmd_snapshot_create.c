/*
 * cmd_snapshot_create.c - `thaw snapshot create`: boots functions of a catalog that have
 * no snapshot in the state directory yet.
 */
#include <stdio.h>

#include "executor/catalog.h"
#include "executor/cli/cli.h"
#include "executor/cli/functions_options.h"
#include "executor/cli/options.h"
#include "executor/cli/snapshot_files.h"
#include "executor/cli/verbs.h"
#include "executor/function.h"
#include "executor/function_store.h"
#include "executor/invoke_init.h"

static const struct cli_option create_options[] = {
	CLI_OPTION_CATALOG(struct snapshot_files, catalog),
	CLI_OPTIONS_STATE(struct snapshot_files, state.directory, state.max),
	{ .name = NULL },
};

/* Snapshots that could not be written; the store's thread counts. */
struct failures {
	_Atomic unsigned count;
};

static void on_failure(void *cookie, const char *function,
		       enum thaw_level level, const char *text, size_t size)
{
	struct failures *failures = cookie;

	failures->count++;
	cli_print_log(NULL, function, level, text, size);
}

/* Deploys @spec without warm vms, and tells where its snapshot is from. */
static int create_one(const struct catalog_function *spec,
		      struct function_store *store,
		      const struct failures *failures)
{
	const unsigned before = failures->count;
	const struct function_options options = { .log = cli_print_log,
						  .dirty = DIRTY_AUTO,
						  .store = store,
						  .answer_init = invoke_init };
	struct catalog_function alone = *spec;
	struct function *function;
	struct error err;
	int r;

	alone.concurrency.warm = 0;
	r = function_deploy(&alone, &options, &err, &function);
	if (r) {
		cli_error("%s", err.message);
		return cli_deploy_code(r);
	}
	if (*function->not_stored.message)
		cli_error("%s: %s", spec->name, function->not_stored.message);
	/* however many there are, none is left out */
	function_store_flush(store);
	printf("%s: %s\n", spec->name,
	       function->is_stored	 ? "there already" :
	       failures->count != before ? "not written" :
					   "written");
	function_free(function);
	return CLI_OK;
}

/* The function called @name, or, if that is NULL, all. */
static int create_some(const struct catalog *catalog, const char *name,
		       struct function_store *store,
		       const struct failures *failures)
{
	int code = CLI_OK;

	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_function *spec = &catalog->functions[i];
		int one = CLI_OK;

		if (!name || spec == catalog_find(catalog, name))
			one = create_one(spec, store, failures);
		code = code ? code : one;
	}
	return code;
}

static int check_name(const struct catalog *catalog, const char *name)
{
	struct error err;

	if (!name || catalog_find(catalog, name))
		return CLI_GO_ON;
	catalog_not_found(catalog, name, &err);
	cli_error("%s", err.message);
	return CLI_NOT_FOUND;
}

static int create_in(const struct snapshot_files *my,
		     const struct catalog *catalog, const char *name)
{
	struct failures failures = { 0 };
	struct function_store *store;
	struct error err;
	int code = check_name(catalog, name), r;

	if (code != CLI_GO_ON)
		return code;
	r = function_store_open(my->state.directory, my->state.max, on_failure,
				&failures, &err, &store);
	if (r) {
		cli_error("%s", err.message);
		return snapshot_files_code(r);
	}
	code = create_some(catalog, name, store, &failures);
	/* once all is written */
	function_store_close(store, false);
	return code ? code : failures.count ? CLI_ENVIRONMENT : CLI_OK;
}

static int snapshot_create_run(const struct cli_verb *verb, int argc,
			       char **argv)
{
	struct snapshot_files my = { .format = SNAPSHOT_TABLE };
	struct functions_options functions = { .catalog = NULL };
	struct catalog *catalog;
	struct store *store;
	const char *name;
	int code = cli_parse(verb, argc, argv, &my, &name);

	if (code == CLI_GO_ON)
		code = cli_require_kvm();
	/* says what is wrong with the directory before the catalog is read */
	if (code == CLI_GO_ON)
		code = snapshot_files_open(&my, true, &store);
	if (code != CLI_GO_ON)
		return code;
	store_close(store);
	functions.catalog = my.catalog;
	code = functions_load(&functions, &catalog);
	if (code != CLI_GO_ON)
		return code;
	code = create_in(&my, catalog, name);
	catalog_free(catalog);
	return code;
}

const struct cli_verb cmd_snapshot_create = {
	.name = "snapshot create",
	.operand = "[NAME]",
	.summary = "boot functions, and keep their snapshots",
	.about =
		"Boots the function NAME of the catalog, or all of them, and\n"
		"writes their snapshots to the state directory, so that `thaw serve` starts from\n"
		"them. Those that are there already are left as they are.\n",
	.examples = "  thaw snapshot create --state-dir /var/lib/thaw\n"
		    "  thaw snapshot create hello\n",
	.options = create_options,
	.run = snapshot_create_run,
};
