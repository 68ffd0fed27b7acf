/* state.c - see state.h; how values are written and read is in state_codec.h. */
#include "executor/linux/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "executor/linux/process.h"
#include "executor/linux/seen.h"
#include "executor/linux/shim.h"
#include "executor/linux/sites.h"
#include "executor/linux/state_codec.h"
#include "executor/linux/state_files.h"
#include "executor/linux/state_signals.h"
#include "executor/linux/state_space.h"
#include "executor/linux/state_threads.h"
#include "executor/linux/state_tmpfs.h"
#include "executor/linux/tmpfs_tree.h"
#include "vm/calls.h"
#include "vm/layout.h"
#include "vm/vm.h"

/* Of getpriority(). */
#define NICE_MIN (-20)
#define NICE_MAX 19

static void state_limits(struct state *state, struct linux_process *process)
{
	struct limits *limits = &process->limits;
	struct limits most;

	limits_init(&most, process->space.layout, FILES_MAX);
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit *limit = &limits->list[i];

		STATE_NUMBER(state, limit->rlim_cur);
		STATE_NUMBER(state, limit->rlim_max);
		state_need(state,
			   limit->rlim_cur <= limit->rlim_max &&
				   limit->rlim_max <= most.list[i].rlim_max,
			   "a limit");
	}
	STATE_NUMBER(state, limits->is_memory_limited);
	if (state_is_read(state) && state_is_good(state))
		process->files.withheld =
			FILES_MAX -
			(unsigned)limits->list[RLIMIT_NOFILE].rlim_cur;
}

static void state_directory(struct state *state, struct linux_process *process)
{
	struct directory *directory = &process->directory;
	char *path = directory->path;

	STATE_NUMBER(state, directory->node);
	state_need(state,
		   directory->node == DIRECTORY_NOWHERE ||
			   (directory->node < process->tmpfs.tree->node_count &&
			    tmpfs_is_directory(&process->tmpfs,
					       directory->node)),
		   "its working directory");
	state_text(state, &path, ROOT_PATH_MAX - 1);
	if (!state_is_read(state) || path == directory->path)
		return;
	state_need(state, root_is_path(path), "its working directory");
	if (state_is_good(state))
		strcpy(directory->path, path);
	free(path);
}

static size_t count_strings(char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

/* What runs in place of a script. */
static void state_script(struct state *state, struct linux_process *process)
{
	struct script *script = &process->script;
	bool is_script = script->interpreter != NULL;
	size_t count = count_strings(script->arguments);

	STATE_NUMBER(state, is_script);
	if (!is_script || !state_is_good(state))
		return;
	state_text(state, &script->interpreter, ROOT_PATH_MAX - 1);
	STATE_NUMBER(state, count);
	if (state_is_read(state)) {
		/* each takes as many bytes at least */
		state_need(state, count && count <= state->left / 8,
			   "the number of its arguments");
		script->arguments =
			state_is_good(state) ?
				calloc(count + 1, sizeof(*script->arguments)) :
				NULL;
		if (!script->arguments)
			state_fail(state, -ENOMEM, "no memory for arguments");
	}
	for (size_t i = 0; i < count && state_is_good(state); i++)
		state_text(state, &script->arguments[i], STATE_MAX);
	if (!state_is_read(state) || !state_is_good(state))
		return;
	process->executable = script->interpreter;
	process->arguments = script->arguments;
}

/* What begins each reply. */
static void state_output(struct state *state, struct linux_process *process)
{
	struct buffer *output = &process->request.output;
	uint64_t size = output->size;
	char *bytes;

	STATE_NUMBER(state, size);
	state_need(state, size <= LINUX_BEFORE_MAX, "what it has written");
	if (!size || !state_is_good(state))
		return;
	if (!state_is_read(state)) {
		state_bytes(state, output->data, size);
		return;
	}
	output->max = LINUX_BEFORE_MAX;
	bytes = buffer_reserve(output, size);
	if (!bytes) {
		state_fail(state, -ENOMEM, "no memory for output");
		return;
	}
	state_bytes(state, bytes, size);
	output->size += size;
}

static void state_rest(struct state *state, struct linux_process *process)
{
	STATE_NUMBER(state, process->creation_mask);
	STATE_NUMBER(state, process->nice);
	STATE_NUMBER(state, process->vector);
	STATE_NUMBER(state, process->vector_size);
	STATE_NUMBER(state, process->device.is_asked);
	STATE_NUMBER(state, process->shim.given.used_ns);
	for (size_t i = 0;
	     i < sizeof(process->missing) / sizeof(*process->missing); i++)
		STATE_NUMBER(state, process->missing[i]);
	state_need(state, !(process->creation_mask & ~(mode_t)0777),
		   "its umask");
	state_need(state,
		   process->nice >= NICE_MIN && process->nice <= NICE_MAX,
		   "its priority");
}

static void state_process(struct state *state, struct linux_process *process)
{
	state_space(state, process);
	state_signals(state, process);
	state_threads(state, process);
	state_tmpfs(state, process);
	state_files(state, process);
	state_limits(state, process);
	state_directory(state, process);
	state_script(state, process);
	state_output(state, process);
	state_rest(state, process);
}

static void state_version(struct state *state)
{
	uint64_t magic = STATE_MAGIC, version = STATE_VERSION;

	state_u64(state, &magic);
	state_u64(state, &version);
	state_need(state, magic == STATE_MAGIC, "it is of no program");
	state_need(state, version == STATE_VERSION, "another version");
}

int linux_state_write(struct linux_process *process, const uint8_t *memory,
		      struct linux_seen *seen, struct buffer *out,
		      struct error *err)
{
	struct state state = { .out = out, .memory = memory, .err = err };

	out->max = STATE_MAX;
	if (process->gunyah.is_on)
		state_fail(&state, -EOPNOTSUPP,
			   "the program has the devices of Gunyah");
	state_version(&state);
	state_need(&state, !process->is_request && !process->device.has_request,
		   "a request that it has");
	linux_seen_state(seen, &state);
	state_process(&state, process);
	return state.result;
}

/* What of the memory is read by more than the program itself. */
static void check_memory(struct state *state)
{
	const void *frame = state->memory + THAW_GPA_FRAME;

	state_need(state, vm_frame_is_users(frame), "its registers");
	state_need(state, sites_are_good(state->memory),
		   "the places of its calls");
}

static void check_seen(struct state *state, const struct linux_process *process,
		       struct linux_seen *seen)
{
	char path[ROOT_PATH_MAX];
	int r;

	if (!state_is_good(state))
		return;
	r = linux_seen_changed(seen, &process->program->root, path);
	if (r < 0)
		state_fail(state, r, "looking at %s: %s", path, strerror(-r));
	else if (r)
		state_fail(state, -ESTALE,
			   "%s is not what it was when the program started",
			   path);
}

static void read_process(struct state *state, struct linux_process *process,
			 struct linux_seen *seen)
{
	state_version(state);
	if (state_is_good(state))
		linux_seen_state(seen, state);
	if (state->memory) {
		check_seen(state, process, seen);
		if (state_is_good(state))
			check_memory(state);
	}
	if (state_is_good(state))
		state_process(state, process);
	state_need(state, !state->left, "more than it has to say");
	if (!state_is_good(state) || !state->memory)
		return;
	process->is_frozen = true;
	process->ahead_ns = state->ahead_ns;
	if (shim_restore(process))
		state_fail(state, -ENOMEM, "no memory for the shim");
}

int linux_state_read(const struct state_source *source, uint8_t *wanted,
		     struct linux_seen *seen, struct error *err,
		     struct linux_process *ret_process)
{
	struct state state = {
		.at = source->bytes,
		.left = source->size,
		.memory = source->memory,
		.ahead_ns = source->ahead_ns,
		.hosts = source->hosts,
		.err = err,
	};

	if (linux_process_init(ret_process, source->program, source->layout,
			       wanted))
		state_fail(&state, -ENOMEM, "no memory for a process");
	state.frames = calloc(ret_process->space.used_words + 1,
			      sizeof(*state.frames));
	if (!state.frames)
		state_fail(&state, -ENOMEM, "no memory for frames");
	if (state_is_good(&state))
		read_process(&state, ret_process, seen);
	free(state.frames);
	ret_process->space.memory = NULL;
	return state.result;
}

bool linux_state_is(const void *bytes, size_t size)
{
	const uint64_t magic = STATE_MAGIC;

	return size >= sizeof(magic) && !memcmp(bytes, &magic, sizeof(magic));
}

/* With page tables in @wanted, which is zero: that they can be made is one of the checks. */
static int show(const struct state_source *source, uint8_t *wanted,
		struct error *err, struct linux_process *ret_process)
{
	struct state_source shown = *source;
	struct linux_seen *seen = linux_seen_create();
	int r;

	if (!seen)
		return error_set(err, -ENOMEM, "no memory for files");
	shown.memory = NULL;
	vm_prepare_memory(wanted, source->layout);
	r = linux_state_read(&shown, wanted, seen, err, ret_process);
	linux_seen_free(seen);
	if (r)
		linux_process_done(ret_process);
	return r;
}

int linux_state_show(const struct state_source *source, struct error *err,
		     struct linux_process *ret_process)
{
	const size_t size = source->layout->memory_size;
	uint8_t *wanted = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			       0);
	int r;

	if (wanted == MAP_FAILED)
		return error_set(err, -errno, "no memory to show a snapshot");
	r = show(source, wanted, err, ret_process);
	munmap(wanted, size);
	return r;
}
