/* cmd_snapshot_import.c - `thaw snapshot import`: snapshots of an OCI image layout. */
#include <stdio.h>

#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/snapshot_files.h"
#include "executor/cli/snapshot_oci.h"
#include "executor/cli/verbs.h"

static const struct cli_option import_options[] = {
	CLI_OPTIONS_STATE(struct snapshot_files, state.directory, state.max),
	{ .name = NULL },
};

static void print_imported(const char *name)
{
	printf("%.*s\n", 2 * STORE_KEY_SIZE, name);
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
	r = snapshot_oci_import(store, path, print_imported, &err);
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
		"may be of other machines. A function starts from one only if its key is the\n"
		"function's on this machine, and if what the function could not have changed is what\n"
		"a boot makes. One takes the place of a file with the same key; whoever uses that\n"
		"goes on with it.\n",
	.examples = "  thaw snapshot import hello.oci\n",
	.options = import_options,
	.run = snapshot_import_run,
};
