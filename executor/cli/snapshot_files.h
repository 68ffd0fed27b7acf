/*
 * snapshot_files.h - what the verbs of `thaw snapshot` share: their options, the state
 * directory, and what a file says of itself.
 */
#ifndef EXECUTOR_CLI_SNAPSHOT_FILES_H
#define EXECUTOR_CLI_SNAPSHOT_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/cli/options.h"
#include "snapshot/store/store.h"

struct json_t;

/* In the order of the words of --output. */
enum snapshot_format {
	SNAPSHOT_TABLE,
	SNAPSHOT_JSON,
	SNAPSHOT_NAME,
};

struct snapshot_files {
	struct cli_state state;
	const char *catalog;
	unsigned format; /* enum snapshot_format */
};

/* The option -o of their tables; @formats are its alternatives. */
#define SNAPSHOT_OPTION_FORMAT(formats, help)                      \
	{                                                          \
		'o', "output", formats, help, cli_set_choice,      \
			offsetof(struct snapshot_files, format), 0 \
	}

/*
 * Opens the state directory that @my or the environment names; it is made only if
 * @is_made. Returns CLI_GO_ON and the store, which the caller closes, or an exit code
 * after a message.
 */
int snapshot_files_open(struct snapshot_files *my, bool is_made,
			struct store **ret_store);

/*
 * Finds the one file whose name begins with @word. Of two with one key, it is the one that
 * was not moved aside, unless @word has more than the key. Returns CLI_GO_ON and its name,
 * or CLI_NOT_FOUND after a message.
 */
int snapshot_files_find(struct store *store, const char *word,
			char name[STORE_NAME_MAX]);

/* Whether @bad was moved aside, and one of @entries has the same key and was not. */
bool snapshot_files_has_better(const struct store_entry *entries, size_t count,
			       const struct store_entry *bad);

/*
 * Returns what the file says of itself as an object, which the caller owns: of any
 * machine, and not verified but for what stands before its memory. NULL: it is no good;
 * *@err says why.
 */
struct json_t *snapshot_files_describe(struct store *store, const char *name,
				       struct error *err);

/* The same of an open file. NULL: no memory. */
struct json_t *snapshot_files_json(struct store *store, const char *name,
				   const struct store_file *file);

/* The exit code for a result of the store. */
int snapshot_files_code(int result);

/* The digits of a key that are printed in a table. */
#define SNAPSHOT_KEY_DIGITS 16

#endif
