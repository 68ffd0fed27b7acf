/* cmd_snapshot_list.c - `thaw snapshot list`: what is in the state directory. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/units.h"
#include "executor/cli/cli.h"
#include "executor/cli/functions_options.h"
#include "executor/cli/options.h"
#include "executor/cli/snapshot_files.h"
#include "executor/cli/verbs.h"
#include "executor/limits.h"
#include "snapshot/stored.h"

static const struct cli_option list_options[] = {
	CLI_OPTIONS_STATE(struct snapshot_files, state.directory, state.max),
	SNAPSHOT_OPTION_FORMAT("table|json|name",
			       "the form; default table; name prints only keys"),
	{ .name = NULL },
};

/* @result is that of opening the file, which is good but for @misfit. */
static const char *state_of(const struct store_entry *entry, int result,
			    enum store_misfit misfit)
{
	static const char *const words[] = {
		[STORE_MISFIT_ARCHITECTURE] = "other architecture",
		[STORE_MISFIT_ABI] = "other abi",
		[STORE_MISFIT_PAGE_SIZE] = "other page size",
		[STORE_MISFIT_CPU] = "other cpu",
	};

	if (!entry->is_bad && result == -ESTALE)
		return "other format";
	if (entry->is_bad || result)
		return "bad";
	if (misfit)
		return words[misfit];
	return entry->is_used ? "in use" : "";
}

/* Whether this machine can use it. Without KVM, that is not known. */
static enum store_misfit misfit_of(const struct store_file *file)
{
	struct store_machine machine;

	return stored_machine(NULL, &machine) ?
		       STORE_MISFIT_NONE :
		       store_misfit(&file->header, &machine);
}

/* What a file says, if it can be read; its state is "" then, or what keeps it from being used. */
static json_t *file_json(struct store *store, const struct store_entry *entry,
			 const char **ret_state)
{
	enum store_misfit misfit = STORE_MISFIT_NONE;
	struct store_file file = { .fd = -1 };
	struct error err;
	json_t *json;
	int r = store_file_open(store_directory(store), entry->name, NULL, NULL,
				&err, &file);

	if (!r)
		misfit = misfit_of(&file);
	*ret_state = state_of(entry, r, misfit);
	if (r)
		return json_pack("{s:s#, s:s}", "key", entry->name,
				 2 * STORE_KEY_SIZE, "reason", err.message);
	json = snapshot_files_json(store, entry->name, &file);
	store_file_close(&file);
	if (json && misfit)
		json_object_set_new(json, "reason",
				    json_string(store_misfit_text(misfit)));
	return json;
}

/* What a file says, and what the directory says of it; NULL: no memory. */
static json_t *entry_json(struct store *store, const struct store_entry *entry)
{
	const char *state;
	json_t *json = file_json(store, entry, &state);
	char date[DATE_TEXT_MAX];

	if (!json)
		return NULL;
	json_object_set_new(json, "file", json_string(entry->name));
	json_object_set_new(json, "file_bytes",
			    json_integer((json_int_t)entry->bytes));
	json_object_set_new(json, "used_at",
			    json_string(date_format_s((uint64_t)entry->used_s,
						      date)));
	json_object_set_new(json, "state", json_string(state));
	return json;
}

static const char *text_in(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static void print_row(struct store *store, const struct store_entry *entry)
{
	json_auto_t *json = entry_json(store, entry);
	const json_t *manifest = json_object_get(json, "manifest");
	char function[LIMIT_NAME_MAX + 1], version[STORE_VERSION_MAX + 1];

	printf("%.*s  %-24s  %-8s  %6zuKiB  %s\n", SNAPSHOT_KEY_DIGITS,
	       entry->name,
	       cli_clean(text_in(manifest, "function"), function,
			 sizeof(function)),
	       cli_clean(text_in(json, "version"), version, sizeof(version)),
	       (size_t)units_ceil(entry->bytes, UNITS_KIB),
	       text_in(json, "state"));
}

static void print_entries(struct store *store, unsigned format,
			  const struct store_entry *entries, size_t count)
{
	json_auto_t *list = json_array();

	if (format == SNAPSHOT_TABLE)
		printf("%-*s  %-24s  %-8s  %9s  %s\n", SNAPSHOT_KEY_DIGITS,
		       "KEY", "FUNCTION", "VERSION", "SIZE", "STATE");
	/* the one used last is the first */
	for (size_t i = count; i-- > 0;) {
		if (format == SNAPSHOT_NAME &&
		    snapshot_files_has_better(entries, count, &entries[i]))
			continue;
		if (format == SNAPSHOT_NAME)
			printf("%.*s\n", 2 * STORE_KEY_SIZE, entries[i].name);
		else if (format == SNAPSHOT_TABLE)
			print_row(store, &entries[i]);
		else
			json_array_append_new(list,
					      entry_json(store, &entries[i]));
	}
	if (format == SNAPSHOT_JSON)
		functions_print_json(list);
}

static int snapshot_list_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct snapshot_files my = { .format = SNAPSHOT_TABLE };
	struct store_entry *entries;
	struct store *store;
	struct error err;
	size_t count;
	int code = cli_parse(verb, argc, argv, &my, NULL), r;

	if (code == CLI_GO_ON)
		code = snapshot_files_open(&my, false, &store);
	if (code != CLI_GO_ON)
		return code;
	r = store_list(store, &err, &entries, &count);
	if (r) {
		cli_error("%s", err.message);
	} else {
		print_entries(store, my.format, entries, count);
		free(entries);
	}
	store_close(store);
	return snapshot_files_code(r);
}

const struct cli_verb cmd_snapshot_list = {
	.name = "snapshot list",
	.summary = "list the snapshots of a state directory",
	.about =
		"Lists the snapshots that --state-dir keeps, the one used last first: the beginning\n"
		"of its key, the function it was made of, the thaw that wrote it, what it takes of\n"
		"the disk, and its state: in use; bad: no good, and moved aside; or what keeps this\n"
		"machine from using it, as \"other cpu\" or \"other format\". Without KVM, only another\n"
		"format is found.\n",
	.examples =
		"  thaw snapshot list --state-dir /var/lib/thaw\n"
		"  thaw snapshot list -o json | jq -r '.[].manifest.function'\n",
	.options = list_options,
	.run = snapshot_list_run,
};
