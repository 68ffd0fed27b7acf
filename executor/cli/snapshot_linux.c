/* snapshot_linux.c - see snapshot_linux.h; what is shown is in snapshot_linux_json.c. */
#include "executor/cli/snapshot_linux.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "executor/cli/snapshot_linux_json.h"
#include "executor/linux/process.h"
#include "executor/linux/state.h"
#include "executor/snapshot_key.h"
#include "guest/abi/thaw_abi.h"
#include "snapshot/store/file.h"
#include "vm/boot_state.h"
#include "vm/layout.h"

static const char *text_in(const json_t *key, const char *name)
{
	const char *text = json_string_value(json_object_get(key, name));

	return text ? text : "";
}

static uint64_t number_in(const json_t *key, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(key, name));
}

/* What of @key shapes a program, as snapshot_key_program() has put it there. */
static void read_key(const json_t *key, struct linux_program *ret_program,
		     struct layout_config *ret_config,
		     struct state_source *ret_source)
{
	const uint64_t tmp = number_in(key, "tmp");
	const char *path = text_in(key, "program");
	const char *warm = text_in(key, "warm_file");

	*ret_program = (struct linux_program){
		.path = path,
		.tmp_size = tmp < TMPFS_SIZE_MAX ? tmp : TMPFS_SIZE_MAX,
		.is_code_writable =
			json_is_true(json_object_get(key, "writable_code")),
	};
	*ret_config = (struct layout_config){
		.memory_size = number_in(key, "memory"),
		.stack_size = number_in(key, "stack"),
		.request_size = number_in(key, "max_request"),
		.reply_size = number_in(key, "max_reply"),
		.result_size = number_in(key, "max_result"),
	};
	ret_source->hosts[0] = *text_in(key, "root") ? NULL : path;
	ret_source->hosts[1] = *warm ? warm : NULL;
}

/* Why only another thaw, or another machine, can show the file; NULL: this one can. */
static const char *misfit(const struct store_header *header, const json_t *key)
{
	if (header->architecture != vm_architecture())
		return "it is for another architecture";
	if (header->abi != THAW_ABI_VERSION)
		return "it is for another ABI";
	if (number_in(key, "state") != STATE_VERSION)
		return "it is of another version";
	return NULL;
}

static bool is_key_of(const json_t *key, const struct store_header *header)
{
	uint8_t hash[STORE_KEY_SIZE];

	return json_is_object(key) && !snapshot_key_hash(key, hash) &&
	       !memcmp(hash, header->key, sizeof(hash));
}

/* Reads the state into @process, shows it, and ends it. */
static int show(const struct state_source *source, uint64_t frozen_ns,
		struct error *err, struct linux_process *process,
		json_t **ret_shown)
{
	int r = linux_state_show(source, err, process);

	if (r)
		return r;
	*ret_shown = snapshot_linux_json(process, source->layout, frozen_ns);
	linux_process_done(process);
	return *ret_shown ?
		       0 :
		       error_set(err, -ENOMEM, "no memory to show a program");
}

static int show_file(const struct store_file *file, const json_t *key,
		     struct error *err, json_t **ret_shown)
{
	struct state_source source = { .bytes = file->ready,
				       .size = file->header.ready_size };
	struct linux_process *process;
	struct layout_config config;
	struct linux_program program;
	struct layout layout;
	int r;

	read_key(key, &program, &config, &source);
	if (layout_plan_program(&config, err, &layout) ||
	    layout.memory_size != file->header.memory_size)
		return error_set(err, -EBADMSG,
				 "its key is of no program that thaw makes");
	source.program = &program;
	source.layout = &layout;
	process = calloc(1, sizeof(*process));
	if (!process)
		return error_set(err, -ENOMEM, "no memory for a process");
	r = show(&source, file->header.frozen_ns, err, process, ret_shown);
	free(process);
	return r;
}

int snapshot_linux_put(struct json_t *object, const struct store_file *file,
		       struct error *err)
{
	const struct store_header *header = &file->header;
	const json_t *manifest = json_object_get(object, "manifest");
	const json_t *key = json_object_get(manifest, "key");
	json_t *shown = NULL;
	const char *why;
	int r;

	if (!linux_state_is(file->ready, header->ready_size))
		return 0;
	if (!is_key_of(key, header))
		return error_set(err, -EBADMSG,
				 "what its manifest says of its key is not so");
	why = misfit(header, key);
	if (why) {
		json_object_set_new(object, "linux_reason", json_string(why));
		return 1;
	}
	r = show_file(file, key, err, &shown);
	if (!r && json_object_set_new(object, "linux", shown))
		r = error_set(err, -ENOMEM, "no memory to show a program");
	return r;
}
