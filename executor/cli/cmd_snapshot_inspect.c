/* cmd_snapshot_inspect.c - `thaw snapshot inspect`: what a snapshot's file says. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "executor/cli/cli.h"
#include "executor/cli/functions_options.h"
#include "executor/cli/options.h"
#include "executor/cli/snapshot_files.h"
#include "executor/cli/snapshot_linux.h"
#include "executor/cli/snapshot_linux_table.h"
#include "executor/cli/verbs.h"

#define TEXT_MAX 256
#define NAME_MAX_BYTES 32

static const struct cli_option inspect_options[] = {
	CLI_OPTIONS_STATE(struct snapshot_files, state.directory, state.max),
	SNAPSHOT_OPTION_FORMAT("table|json", "the form; default table"),
	{ .name = NULL },
};

static void print_value(const char *name, const json_t *value)
{
	char text[TEXT_MAX];

	if (json_is_string(value))
		printf("%-20s %s\n", name,
		       cli_clean(json_string_value(value), text, sizeof(text)));
	else if (json_is_integer(value))
		printf("%-20s %lld\n", name,
		       (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		printf("%-20s %s\n", name, json_is_true(value) ? "yes" : "no");
}

/* Prints each item of a list: a text, or the signature that it has. */
static void print_items(const char *name, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		print_value(name, json_is_object(item) ?
					  json_object_get(item, "signature") :
					  item);
	}
}

/* Prints the members of @object that have one value each, and lists. */
static void print_object(json_t *object)
{
	char name[NAME_MAX_BYTES];
	void *at = json_object_iter(object);

	for (; at; at = json_object_iter_next(object, at)) {
		cli_clean(json_object_iter_key(at), name, sizeof(name));
		print_value(name, json_object_iter_value(at));
		print_items(name, json_object_iter_value(at));
	}
}

static void print_file(json_t *file)
{
	json_t *manifest = json_object_get(file, "manifest");
	json_t *shown = json_object_get(file, "linux");

	print_object(file);
	print_object(manifest);
	puts("\nIts key is made of:");
	print_object(json_object_get(manifest, "key"));
	if (!shown)
		return;
	puts("\nLinux state:");
	print_object(shown);
	snapshot_linux_print_lists(shown);
}

/*
 * Returns what the file called @name says, for the caller to own, and an exit code; NULL:
 * nothing can be shown of it.
 */
static json_t *describe(struct store *store, const char *name, int *ret_code)
{
	struct store_file file;
	struct error err;
	json_t *json;

	*ret_code = CLI_CATALOG;
	if (store_file_open(store_directory(store), name, NULL, NULL, &err,
			    &file)) {
		cli_error("%s", err.message);
		return NULL;
	}
	json = snapshot_files_json(store, name, &file);
	if (!json)
		error_set(&err, -ENOMEM, "no memory for %s", name);
	if (json && snapshot_linux_put(json, &file, &err) >= 0)
		*ret_code = CLI_OK;
	else
		cli_error("%s", err.message);
	store_file_close(&file);
	return json;
}

static int snapshot_inspect_run(const struct cli_verb *verb, int argc,
				char **argv)
{
	struct snapshot_files my = { .format = SNAPSHOT_TABLE };
	json_auto_t *file = NULL;
	char name[STORE_NAME_MAX];
	struct store *store;
	const char *key;
	int code = cli_parse(verb, argc, argv, &my, &key);

	if (code == CLI_GO_ON)
		code = snapshot_files_open(&my, false, &store);
	if (code != CLI_GO_ON)
		return code;
	code = snapshot_files_find(store, key, name);
	if (code == CLI_GO_ON) {
		file = describe(store, name, &code);
		if (file && my.format == SNAPSHOT_JSON)
			functions_print_json(file);
		else if (file)
			print_file(file);
	}
	store_close(store);
	return code;
}

const struct cli_verb cmd_snapshot_inspect = {
	.name = "snapshot inspect",
	.operand = "KEY",
	.summary = "show what a snapshot's file says of itself",
	.about =
		"Prints what the file of the snapshot says whose key begins with KEY: which thaw and\n"
		"which machine it is for, its function, and what its key is made of. Once the\n"
		"function was invoked, also how many pages invocations write (hot) and touch\n"
		"(working). Any thaw can read what another machine has written.\n"
		"\n"
		"Of a Linux program, it shows what the host knew of it when it was frozen: threads,\n"
		"memory, descriptors, signals, timers, limits, and the files that it has written; of\n"
		"memory, files and pipes not the bytes, and of its environment only the names.\n"
		"That takes a thaw for the same architecture. Exit code 3: it is no good.\n",
	.examples =
		"  thaw snapshot inspect b647980c\n"
		"  thaw snapshot inspect b647980c -o json | jq .manifest.key\n",
	.options = inspect_options,
	.run = snapshot_inspect_run,
};
