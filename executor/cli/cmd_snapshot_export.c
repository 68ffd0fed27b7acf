/* cmd_snapshot_export.c - `thaw snapshot export`: a snapshot as an OCI image layout. */
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/snapshot_files.h"
#include "executor/cli/snapshot_oci.h"
#include "executor/cli/verbs.h"

struct export_options {
	struct snapshot_files files;
	const char *output;
};

static const struct cli_option export_options[] = {
	CLI_OPTIONS_STATE(struct export_options, files.state.directory,
			  files.state.max),
	{ 'o', "output", "DIRECTORY",
	  "write to DIRECTORY, which must not be there yet", cli_set_text,
	  offsetof(struct export_options, output), 0 },
	{ .name = NULL },
};

static int snapshot_export_run(const struct cli_verb *verb, int argc,
			       char **argv)
{
	struct export_options my = { .output = NULL };
	char name[STORE_NAME_MAX];
	struct store *store;
	struct error err;
	const char *key;
	int code = cli_parse(verb, argc, argv, &my, &key), r;

	if (code == CLI_GO_ON && !my.output) {
		cli_error("%s: say where to by -o DIRECTORY", verb->name);
		return CLI_USAGE;
	}
	if (code == CLI_GO_ON)
		code = snapshot_files_open(&my.files, false, &store);
	if (code != CLI_GO_ON)
		return code;
	code = snapshot_files_find(store, key, name);
	if (code == CLI_GO_ON) {
		r = snapshot_oci_export(store, name, my.output, &err);
		if (r)
			cli_error("%s", err.message);
		code = snapshot_files_code(r);
	}
	store_close(store);
	return code;
}

const struct cli_verb cmd_snapshot_export = {
	.name = "snapshot export",
	.operand = "KEY",
	.summary = "copy a snapshot to an OCI image layout",
	.about =
		"Verifies the snapshot whose key begins with KEY, and writes it to a directory as an\n"
		"OCI image layout, which tools such as skopeo move and registries hold. It has all\n"
		"that the function's init has read, the environment included.\n",
	.examples =
		"  thaw snapshot export b647980c -o hello.oci\n"
		"  skopeo copy oci:hello.oci docker://registry.example/hello\n",
	.options = export_options,
	.run = snapshot_export_run,
};
