/* cmd_snapshot_rm.c - `thaw snapshot rm`: removes a snapshot from the state directory. */
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/snapshot_files.h"
#include "executor/cli/verbs.h"

static const struct cli_option rm_options[] = {
	CLI_OPTIONS_STATE(struct snapshot_files, state.directory, state.max),
	{ .name = NULL },
};

static int snapshot_rm_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct snapshot_files my = { .format = SNAPSHOT_TABLE };
	char name[STORE_NAME_MAX];
	struct store *store;
	struct error err;
	const char *key;
	int code = cli_parse(verb, argc, argv, &my, &key), r;

	if (code == CLI_GO_ON)
		code = snapshot_files_open(&my, false, &store);
	if (code != CLI_GO_ON)
		return code;
	code = snapshot_files_find(store, key, name);
	if (code == CLI_GO_ON) {
		r = store_remove(store, name, &err);
		if (r)
			cli_error("%s", err.message);
		code = snapshot_files_code(r);
	}
	store_close(store);
	return code;
}

const struct cli_verb cmd_snapshot_rm = {
	.name = "snapshot rm",
	.operand = "KEY",
	.summary = "remove a snapshot from the state directory",
	.about =
		"Removes the snapshot whose key begins with KEY. One that is in use stays; then the\n"
		"exit code is 7. The function is booted next time.\n",
	.examples = "  thaw snapshot rm b647980c\n",
	.options = rm_options,
	.run = snapshot_rm_run,
};
