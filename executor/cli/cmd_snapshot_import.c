/* cmd_snapshot_import.c - `thaw snapshot import`: snapshots of an OCI image layout. */
#include <errno.h>
#include <stdio.h>

#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/snapshot_files.h"
#include "executor/cli/snapshot_oci.h"
#include "executor/cli/verbs.h"
#include "snapshot/stored.h"

static const struct cli_option import_options[] = {
	CLI_OPTIONS_STATE(struct snapshot_files, state.directory, state.max),
	{ .name = NULL },
};

/* No failure: the directory may be another machine's. */
static void warn_of_misfit(struct store *store, const char *name)
{
	struct store_machine machine;
	struct store_file file;
	struct error err;
	int r = stored_machine(&err, &machine);

	if (r) {
		cli_error("%.*s: imported; whether this machine can use it is "
			  "not known: %s",
			  2 * STORE_KEY_SIZE, name, err.message);
		return;
	}
	r = store_file_open(store_directory(store), name, &machine, NULL, &err,
			    &file);
	if (r == -ESTALE)
		cli_error("imported, but this machine will not use it, and "
			  "boots its function: %s",
			  err.message);
	if (!r)
		store_file_close(&file);
}

static void on_imported(struct store *store, const char *name)
{
	printf("%.*s\n", 2 * STORE_KEY_SIZE, name);
	warn_of_misfit(store, name);
}

static int snapshot_import_run(const struct cli_verb *verb, int argc,
			       char **argv)
{
	struct snapshot_files my = { .format = SNAPSHOT_TABLE };
	struct store *store;
	struct error err;
	const char *path;
	int code = cli_parse(verb, argc, argv, &my, &path), r;

	if (code == CLI_GO_ON)
		code = snapshot_files_open(&my, true, &store);
	if (code != CLI_GO_ON)
		return code;
	r = snapshot_oci_import(store, path, on_imported, &err);
	if (r)
		cli_error("%s: %s", path, err.message);
	store_close(store);
	return snapshot_files_code(r);
}

const struct cli_verb cmd_snapshot_import = {
	.name = "snapshot import",
	.operand = "DIRECTORY",
	.summary = "copy snapshots from an OCI image layout",
	.about =
		"Copies the snapshots of the OCI image layout DIRECTORY to the state directory, once\n"
		"all of a snapshot is found to be what its hashes say, and prints their keys. They\n"
		"may be of other machines; of those, a message on standard error says why this\n"
		"machine will not use them. A function starts from one only if its key is the\n"
		"function's on this machine, and if what the function could not have changed is what\n"
		"a boot makes. One takes the place of a file with the same key; whoever uses that\n"
		"goes on with it.\n",
	.examples = "  thaw snapshot import hello.oci\n",
	.options = import_options,
	.run = snapshot_import_run,
};
