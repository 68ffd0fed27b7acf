/* snapshot_files.c - see snapshot_files.h. */
#include "executor/cli/snapshot_files.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json_output.h"
#include "executor/cli/cli.h"
#include "snapshot/store/advice.h"

_Static_assert(STORE_FEATURES % 8 == 0, "whole rows");

int snapshot_files_code(int result)
{
	switch (result) {
	case 0:
		return CLI_OK;
	case -ENOENT:
		return CLI_NOT_FOUND;
	case -EBADMSG:
	case -ESTALE:
		return CLI_CATALOG;
	case -EPERM:
		return CLI_USAGE;
	default:
		return CLI_ENVIRONMENT;
	}
}

int snapshot_files_open(struct snapshot_files *my, bool is_made,
			struct store **ret_store)
{
	struct error err;
	int r;

	if (cli_state_take(&my->state))
		return CLI_USAGE;
	if (!my->state.directory) {
		cli_error("no state directory: give --state-dir or set "
			  "$" CLI_STATE_VARIABLE);
		return CLI_USAGE;
	}
	if (!is_made && access(my->state.directory, F_OK)) {
		cli_error("%s: %s", my->state.directory, strerror(errno));
		return CLI_NOT_FOUND;
	}
	r = store_open(my->state.directory,
		       my->state.max ? my->state.max : STORE_SIZE_DEFAULT, &err,
		       ret_store);
	if (!r)
		return CLI_GO_ON;
	cli_error("%s", err.message);
	return snapshot_files_code(r);
}

static bool is_of_same_key(const char *name, const char *other)
{
	return !strncmp(name, other, 2 * STORE_KEY_SIZE);
}

bool snapshot_files_has_better(const struct store_entry *entries, size_t count,
			       const struct store_entry *bad)
{
	for (size_t i = 0; bad->is_bad && i < count; i++)
		if (!entries[i].is_bad &&
		    is_of_same_key(entries[i].name, bad->name))
			return true;
	return false;
}

/* Whether @word names the entry. One that was moved aside makes way for a better one. */
static bool word_names(const struct store_entry *entries, size_t count,
		       const struct store_entry *entry, const char *word)
{
	const size_t size = strlen(word);

	return *word && !strncmp(entry->name, word, size) &&
	       (size > 2 * STORE_KEY_SIZE ||
		!snapshot_files_has_better(entries, count, entry));
}

int snapshot_files_find(struct store *store, const char *word,
			char name[STORE_NAME_MAX])
{
	struct store_entry *entries;
	struct error err;
	size_t count, found = 0;
	int r = store_list(store, &err, &entries, &count);

	if (r) {
		cli_error("%s", err.message);
		return snapshot_files_code(r);
	}
	for (size_t i = 0; i < count; i++) {
		if (word_names(entries, count, &entries[i], word) && !found++)
			strcpy(name, entries[i].name);
	}
	free(entries);
	if (found == 1)
		return CLI_GO_ON;
	cli_error("\"%s\" begins the key of %s: see `thaw snapshot list`", word,
		  found ? "several snapshots" : "no snapshot");
	return CLI_NOT_FOUND;
}

/* The mask of the CPU's features, eight words in a row. */
static json_t *features_json(const struct store_header *header)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < STORE_FEATURES; i += 8) {
		char row[8 * 8 + 1];

		for (size_t k = 0; k < 8; k++)
			snprintf(row + 8 * k, 9, "%08x",
				 header->features[i + k]);
		json_array_append_new(rows, json_string(row));
	}
	return rows;
}

/* What was learned of it. Without that, the members are not there. */
static void put_advice(struct json_output *object, struct store *store,
		       const struct store_file *file)
{
	cleanup_free struct store_advice *advice = malloc(sizeof(*advice));

	if (!advice || store_advice_read(store, file, NULL, advice))
		return;
	json_put_number(object, "learned_from", advice->invocations);
	json_put_number(object, "hot_pages", advice->hot_count);
	json_put_number(object, "hot_bytes",
			(uint64_t)advice->hot_count * THAW_PAGE_SIZE);
	json_put_number(object, "working_pages",
			(uint64_t)advice->working_count * STORE_CHUNK_PAGES);
	json_put_number(object, "working_bytes",
			(uint64_t)advice->working_count * STORE_CHUNK);
}

json_t *snapshot_files_json(struct store *store, const char *name,
			    const struct store_file *file)
{
	const struct store_header *header = &file->header;
	struct json_output object = json_output_make();
	char key[STORE_NAME_MAX], version[STORE_VERSION_MAX + 1];
	json_t *manifest = json_loadb(file->manifest,
				      (size_t)header->manifest_size, 0, NULL);

	snprintf(key, sizeof(key), "%.*s", 2 * STORE_KEY_SIZE, name);
	snprintf(version, sizeof(version), "%.*s", STORE_VERSION_MAX,
		 header->version);
	json_put_text(&object, "key", key);
	json_put_text(&object, "version", version);
	json_put_number(&object, "format", header->format);
	json_put_number(&object, "abi", header->abi);
	json_put_text(&object, "architecture",
		      store_architecture_name(header->architecture));
	json_put_number(&object, "page_size", header->page_size);
	json_put(&object, "cpu", features_json(header));
	/* a time in the far future is no reason to fail */
	json_put_time(&object, "created",
		      header->created_s % (UINT64_C(1) << 32) * 1000);
	json_put_number(&object, "memory_bytes", header->memory_size);
	json_put_number(&object, "used_bytes", store_file_bytes(file));
	put_advice(&object, store, file);
	json_put(&object, "manifest", manifest ? manifest : json_null());
	return json_output_take(object);
}

json_t *snapshot_files_describe(struct store *store, const char *name,
				struct error *err)
{
	struct store_file file;
	json_t *json;

	if (store_file_open(store_directory(store), name, NULL, NULL, err,
			    &file))
		return NULL;
	json = snapshot_files_json(store, name, &file);
	store_file_close(&file);
	if (!json)
		error_set(err, -ENOMEM, "no memory for %s", name);
	return json;
}
