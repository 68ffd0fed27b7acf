/* cmd_snapshot_verify.c - `thaw snapshot verify`: compares files with their hashes. */
#include <stdio.h>
#include <stdlib.h>

#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/snapshot_files.h"
#include "executor/cli/verbs.h"

static const struct cli_option verify_options[] = {
	CLI_OPTIONS_STATE(struct snapshot_files, state.directory, state.max),
	{ .name = NULL },
};

static int verify_one(struct store *store, const char *name)
{
	struct error err;
	int r = store_verify(store, name, NULL, &err);

	if (r)
		cli_error("%s", err.message);
	else
		printf("%.*s: good\n", 2 * STORE_KEY_SIZE, name);
	return snapshot_files_code(r);
}

/* All but those that were found bad before. */
static int verify_all(struct store *store)
{
	struct store_entry *entries;
	struct error err;
	size_t count;
	int code = CLI_OK;
	int r = store_list(store, &err, &entries, &count);

	if (r) {
		cli_error("%s", err.message);
		return snapshot_files_code(r);
	}
	for (size_t i = 0; i < count; i++) {
		int one = entries[i].is_bad ?
				  CLI_OK :
				  verify_one(store, entries[i].name);

		code = code ? code : one;
	}
	free(entries);
	return code;
}

static int snapshot_verify_run(const struct cli_verb *verb, int argc,
			       char **argv)
{
	struct snapshot_files my = { .format = SNAPSHOT_TABLE };
	char name[STORE_NAME_MAX];
	struct store *store;
	const char *key;
	int code = cli_parse(verb, argc, argv, &my, &key);

	if (code == CLI_GO_ON)
		code = snapshot_files_open(&my, false, &store);
	if (code != CLI_GO_ON)
		return code;
	code = key ? snapshot_files_find(store, key, name) : verify_all(store);
	if (code == CLI_GO_ON)
		code = verify_one(store, name);
	store_close(store);
	return code;
}

const struct cli_verb cmd_snapshot_verify = {
	.name = "snapshot verify",
	.operand = "[KEY]",
	.summary = "compare snapshots with their hashes",
	.about =
		"Reads all of the snapshot whose key begins with KEY, or of all snapshots, and\n"
		"compares it with its hashes. A file that is damaged is moved aside, so that its\n"
		"function is booted next time; then the exit code is 3.\n",
	.examples = "  thaw snapshot verify\n"
		    "  thaw snapshot verify b647980c\n",
	.options = verify_options,
	.run = snapshot_verify_run,
};
