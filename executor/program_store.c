/* program_store.c - see program_store.h. */
#include "executor/program_store.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "executor/catalog_function.h"
#include "executor/function_store.h"
#include "executor/libthaw.h"
#include "executor/linux/process.h"
#include "executor/linux/seen.h"
#include "executor/linux/state.h"
#include "executor/snapshot_key.h"
#include "snapshot/boot.h"
#include "snapshot/snapshot.h"
#include "snapshot/stored.h"

int program_store_begin(struct function_store *store,
			const struct catalog_function *spec,
			const struct snapshot_options *options,
			struct linux_seen *seen, struct error *err,
			struct program_store *ret_my)
{
	int r;

	*ret_my = (struct program_store){ .store = store,
					  .spec = spec,
					  .seen = seen };
	if (!store)
		return 0;
	r = snapshot_key_program(spec, options, err, &ret_my->key);
	if (r)
		return r;
	if (!seen)
		ret_my->seen = ret_my->own = linux_seen_create();
	if (!ret_my->seen || snapshot_key_hash(ret_my->key, ret_my->hash))
		return error_set(err, -ENOMEM,
				 "no memory for a snapshot's key");
	return 0;
}

void program_store_end(struct program_store *my)
{
	json_decref(my->key);
	linux_seen_free(my->own);
	my->key = NULL;
	my->seen = my->own = NULL;
}

/* A file that is being read. */
struct loading {
	const struct program_store *my;
	const struct linux_program *program;
	const struct layout *layout;
	struct linux_process *process;
	struct linux_seen *seen;
	bool is_begun;
};

static int read_state(void *cookie, const struct stored_program_file *file,
		      uint8_t *wanted, struct error *err)
{
	struct loading *loading = cookie;
	const struct catalog_function *spec = loading->my->spec;
	const struct state_source source = {
		.bytes = file->state,
		.size = file->state_size,
		.program = loading->program,
		.layout = loading->layout,
		.hosts = { spec->root ? NULL : spec->image,
			   spec->warm_input.file },
		.memory = file->memory,
		.ahead_ns = file->ahead_ns,
	};

	loading->is_begun = true;
	return linux_state_read(&source, wanted, loading->seen, err,
				loading->process);
}

static int load(struct program_store *my, struct loading *loading,
		const struct snapshot_options *options, struct error *err,
		struct snapshot **ret_snapshot)
{
	const struct stored_program steps = { loading->layout, read_state,
					      loading };
	int r = snapshot_load_program(&steps, options,
				      function_store_files(my->store), my->hash,
				      &my->why, ret_snapshot);

	if (!r) {
		loading->process->space.layout = snapshot_layout(*ret_snapshot);
		linux_seen_move(my->seen, loading->seen);
		my->is_stored = true;
		return 0;
	}
	if (loading->is_begun)
		linux_process_done(loading->process);
	if (r == -ESHUTDOWN)
		return error_set(err, r, "%s", my->why.message);
	if (r == -ENOENT)
		my->why.message[0] = '\0';
	return 1;
}

int program_store_load(struct program_store *my,
		       const struct linux_program *program,
		       const struct snapshot_options *options,
		       struct error *err, struct linux_process *ret_process,
		       struct snapshot **ret_snapshot)
{
	struct layout layout;
	struct loading loading = { .my = my,
				   .program = program,
				   .layout = &layout,
				   .process = ret_process };
	int r;

	if (!my->store)
		return 1;
	r = layout_plan_program(&options->layout, err, &layout);
	if (r)
		return r;
	loading.seen = linux_seen_create();
	if (!loading.seen)
		return error_set(err, -ENOMEM, "no memory for files");
	r = load(my, &loading, options, err, ret_snapshot);
	linux_seen_free(loading.seen);
	return r;
}

static int copy_program(const struct program_store *my,
			struct linux_process *process,
			const struct snapshot *snapshot, struct buffer *state,
			struct error *err, struct stored_copy **ret_copy)
{
	cleanup_free char *manifest = NULL;
	int r = linux_state_write(process, snapshot_memory(snapshot), my->seen,
				  state, err);

	if (r)
		return r;
	manifest = snapshot_manifest(my->spec->name, my->spec->image, my->key,
				     NULL, snapshot);
	if (!manifest)
		return error_set(err, -ENOMEM, "no memory for a copy");
	return stored_copy_program(snapshot, my->hash, thaw_version(), manifest,
				   state->data, state->size, err, ret_copy);
}

void program_store_booted(struct program_store *my,
			  struct linux_process *process,
			  const struct snapshot *snapshot)
{
	struct stored_copy *copy = NULL;
	struct buffer state = BUFFER_INIT(STATE_MAX);
	struct error err;

	if (!my->store)
		return;
	if (copy_program(my, process, snapshot, &state, &err, &copy))
		copy = NULL;
	my->writing =
		function_store_prepare(my->store, my->spec->name, copy, &err);
	buffer_done(&state);
}
