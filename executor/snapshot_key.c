/* snapshot_key.c - see snapshot_key.h. */
#include "executor/snapshot_key.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_output.h"
#include "executor/catalog_function.h"
#include "executor/catalog_functions_json.h"
#include "executor/libthaw.h"
#include "executor/linux/state.h"
#include "guest/abi/thaw_stubs.h"
#include "snapshot/boot.h"
#include "snapshot/snapshot.h"
#include "snapshot/store/file.h"
#include "snapshot/stored.h"
#include "vm/boot_state.h"
#include "vm/image/image.h"
#include "vm/image/image_declarations.h"

_Static_assert(STORE_HASH_SIZE == IMAGE_HASH_SIZE,
	       "as other hashes of the key");

#define HEX_MAX (2 * STORE_HASH_SIZE + 1)

static const char *hash_in_hex(const uint8_t hash[STORE_HASH_SIZE],
			       char hex[HEX_MAX])
{
	for (size_t i = 0; i < STORE_HASH_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	return hex;
}

static void put_hash(struct json_output *object, const char *name,
		     const void *bytes, size_t size)
{
	uint8_t hash[STORE_HASH_SIZE];
	char hex[HEX_MAX];

	store_hash(bytes, size, hash);
	json_put_text(object, name, hash_in_hex(hash, hex));
}

/* All of thaw's own code in a guest; 0 or -ENOMEM. */
static int put_stubs(struct json_output *object)
{
	const size_t stub = (size_t)(thaw_stub_end - thaw_stub_start);
	const size_t supervisor =
		(size_t)(thaw_supervisor_end - thaw_supervisor_start);
	cleanup_free uint8_t *bytes = malloc(stub + supervisor);

	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, thaw_stub_start, stub);
	memcpy(bytes + stub, thaw_supervisor_start, supervisor);
	put_hash(object, "stubs", bytes, stub + supervisor);
	return 0;
}

static void put_strings(struct json_output *object, const char *name,
			char *const *list)
{
	struct json_output strings = { .json = json_array() };

	for (; list && *list; list++)
		if (json_array_append_new(strings.json,
					  json_stringn_nocheck(*list,
							       strlen(*list))))
			strings.failed = true;
	json_put_object(object, name, strings);
}

/* How a program is started, and what is done for it meanwhile. */
static void put_program(struct json_output *object,
			const struct catalog_function *spec)
{
	const struct catalog_warm_input *warm = &spec->warm_input;

	/* what answers its system calls changes with thaw */
	json_put_text(object, "version", thaw_version());
	json_put_number(object, "state", STATE_VERSION);
	put_hash(object, "shim", thaw_vdso_start,
		 (size_t)(thaw_vdso_end - thaw_vdso_start));
	json_put_text(object, "program", spec->image);
	put_strings(object, "argv", spec->arguments);
	json_put_text(object, "root", spec->root ? spec->root : "");
	put_strings(object, "files", spec->files);
	json_put_text(object, "devices", catalog_devices.list[spec->devices]);
	json_put_number(object, "tmp", spec->tmp);
	json_put(object, "writable_code", json_boolean(spec->writable_code));
	json_put_number(object, "warm_count", warm->count);
	json_put_text(object, "warm_file", warm->file ? warm->file : "");
	put_hash(object, "warm_text", warm->text ? warm->text : "",
		 warm->text ? strlen(warm->text) : 0);
}

/* The names, which say what it is about; and a hash of all of it. 0 or -ENOMEM. */
static int put_environment(struct json_output *object, char *const *environment)
{
	cleanup_free uint8_t *bytes = malloc(THAW_ENVIRONMENT_MAX);
	json_t *names = json_array();
	size_t used = 0;

	if (!bytes)
		return -ENOMEM;
	for (; environment && *environment; environment++) {
		const size_t size = strlen(*environment) + 1;

		json_array_append_new(names,
				      json_stringn_nocheck(*environment,
							   strcspn(*environment,
								   "=")));
		/* one that is too large is not booted */
		if (size > THAW_ENVIRONMENT_MAX - used)
			break;
		memcpy(bytes + used, *environment, size);
		used += size;
	}
	json_put(object, "environment_names", names);
	put_hash(object, "environment", bytes, used);
	return 0;
}

/* But for the CPU: a file says itself which it is for. */
static void put_machine(struct json_output *object)
{
	json_put_text(object, "architecture",
		      store_architecture_name(vm_architecture()));
	json_put_number(object, "abi", THAW_ABI_VERSION);
	json_put_number(object, "page_size", THAW_PAGE_SIZE);
}

static void put_layout(struct json_output *object,
		       const struct snapshot_options *options)
{
	static const char *const controls[] = {
		[LAYOUT_CONTROL_NONE] = "none",
		[LAYOUT_CONTROL_SUPERVISOR] = "supervisor",
		[LAYOUT_CONTROL_USER] = "user",
	};
	const struct layout_config *layout = &options->layout;

	json_put_number(object, "memory", layout->memory_size);
	json_put_number(object, "stack", layout->stack_size);
	json_put_number(object, "max_request", layout->request_size);
	json_put_number(object, "max_reply", layout->reply_size);
	json_put_number(object, "max_result", layout->result_size);
	json_put_text(object, "control", controls[layout->control]);
	json_put_number(object, "host_local", options->host_local);
	/* they are cleared of what other trackers leave in page tables */
	json_put(object, "tables_tell",
		 json_boolean(options->dirty == DIRTY_TABLES));
}

/* Of an image, or, if that is NULL, of the program of @spec. */
static int make_key(const struct image *image,
		    const struct catalog_function *spec,
		    const struct snapshot_options *options,
		    char *const *environment, struct error *err,
		    json_t **ret_key)
{
	struct json_output object = json_output_make();
	char hex[HEX_MAX];
	int r;

	json_put_number(&object, "format", STORE_FORMAT);
	put_machine(&object);
	if (image)
		json_put_text(&object, "image",
			      hash_in_hex(image_hash(image), hex));
	put_layout(&object, options);
	if (!image)
		put_program(&object, spec);
	r = put_stubs(&object);
	if (!r)
		r = put_environment(&object, environment);
	*ret_key = json_output_take(object);
	if (r || !*ret_key) {
		json_decref(*ret_key);
		*ret_key = NULL;
		return error_set(err, -ENOMEM,
				 "no memory for a snapshot's key");
	}
	return 0;
}

int snapshot_key_json(const struct image *image,
		      const struct snapshot_options *options, struct error *err,
		      json_t **ret_key)
{
	return make_key(image, NULL, options, options->environment, err,
			ret_key);
}

int snapshot_key_program(const struct catalog_function *spec,
			 const struct snapshot_options *options,
			 struct error *err, json_t **ret_key)
{
	return make_key(NULL, spec, options, spec->environment, err, ret_key);
}

/* What the host answers an init. */
static void put_host(struct json_output *object,
		     const struct catalog_host *host)
{
	struct json_output config = json_output_make();
	json_t *allow = json_array();

	for (size_t i = 0; i < host->allow_count; i++)
		json_array_append_new(allow, json_string(host->allow[i]));
	for (size_t i = 0; i < host->config_count; i++)
		put_hash(&config, host->config[i].name, host->config[i].json,
			 strlen(host->config[i].json));
	json_put(object, "host_allow", allow);
	json_put_object(object, "host_config", config);
}

static int make_layer_key(const struct catalog_function *spec,
			  const json_t *base, struct error *err,
			  json_t **ret_key)
{
	const struct catalog_init *init = &spec->init;
	struct json_output object = json_output_make();
	uint8_t hash[STORE_KEY_SIZE];
	char hex[HEX_MAX];

	*ret_key = NULL;
	if (!snapshot_key_hash(base, hash)) {
		json_put_text(&object, "base", hash_in_hex(hash, hex));
		/* the guest is told it, and so is the host */
		json_put_text(&object, "function", spec->name);
		put_host(&object, &spec->host);
		json_put_text(&object, "entry",
			      init->entry ? init->entry : spec->entry);
		put_hash(&object, "request", init->text, init->size);
		*ret_key = json_output_take(object);
	} else {
		json_decref(object.json);
	}
	return *ret_key ? 0 :
			  error_set(err, -ENOMEM,
				    "no memory for a snapshot's key");
}

int snapshot_key_function(const struct catalog_function *spec,
			  const struct image *image,
			  const struct snapshot_options *options,
			  struct error *err, json_t **ret_key)
{
	json_t *own;
	int r = snapshot_key_json(image, options, err, &own);

	if (r || !spec->base) {
		*ret_key = r ? NULL : own;
		return r;
	}
	r = make_layer_key(spec, own, err, ret_key);
	json_decref(own);
	return r;
}

void snapshot_key_free(json_t *key)
{
	json_decref(key);
}

int snapshot_key_hash(const json_t *key, uint8_t hash[STORE_KEY_SIZE])
{
	cleanup_free char *text =
		json_dumps(key, JSON_COMPACT | JSON_SORT_KEYS);

	if (!text)
		return -ENOMEM;
	store_hash(text, strlen(text), hash);
	return 0;
}

char *snapshot_manifest(const char *name, const char *path, const json_t *key,
			const struct image *image,
			const struct snapshot *snapshot)
{
	struct json_output object = json_output_make();
	json_t *handlers = json_array();
	json_t *manifest;
	char *text;

	for (size_t i = 0; i < snapshot_handler_count(snapshot); i++)
		json_array_append_new(handlers,
				      json_string(
					      snapshot_handler_name(snapshot,
								    i)));
	json_put_text(&object, "function", name);
	json_put_text(&object, "image", path);
	json_put(&object, "key", json_deep_copy(key));
	json_put(&object, "handlers", handlers);
	if (image)
		json_put(&object, "functions",
			 catalog_functions_json(image_functions(image)));
	manifest = json_output_take(object);
	text = manifest ? json_dumps(manifest, JSON_INDENT(2)) : NULL;
	json_decref(manifest);
	return text;
}
