/* function_linux.c - see function_linux.h. */
#include "executor/function_linux.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "executor/catalog_interrupts.h"
#include "executor/linux/boot.h"
#include "executor/linux/load.h"
#include "executor/linux/seen.h"
#include "executor/program_store.h"
#include "executor/request_file.h"

/*
 * What every program has in its environment, unless the catalog sets it: where programs
 * are, a home that it can enter, and UTF-8. docs/linux.md lists them.
 */
static char *const standard_environment[] = {
	"PATH=/usr/local/bin:/usr/bin:/bin",
	"HOME=/",
	"LANG=C.UTF-8",
	NULL,
};

static size_t count_strings(char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

/* Whether @list has a value for the variable of @pair. */
static bool is_set(char *const *list, const char *pair)
{
	const size_t size = strcspn(pair, "=") + 1;

	for (; list && *list; list++)
		if (!strncmp(*list, pair, size))
			return true;
	return false;
}

/* The catalog's environment, and the standard one behind it. NULL: no memory. */
static char **make_environment(char *const *given)
{
	const size_t count = count_strings(given);
	char **list = calloc(count + count_strings(standard_environment) + 1,
			     sizeof(*list));
	size_t used = count;

	if (!list)
		return NULL;
	for (size_t i = 0; i < count; i++)
		list[i] = given[i];
	for (char *const *pair = standard_environment; *pair; pair++)
		if (!is_set(given, *pair))
			list[used++] = *pair;
	return list;
}

/* Returns the path of the program, without symbolic links, on the heap. */
static int find_executable(const struct catalog_function *spec,
			   struct error *err, char **ret_path)
{
	/* in a root, only the program itself knows where a link leads */
	if (spec->root) {
		*ret_path = strdup(spec->image + strlen(spec->root));
		return *ret_path ? 0 : error_set(err, -ENOMEM, "no memory");
	}
	*ret_path = realpath(spec->image, NULL);
	if (!*ret_path)
		return error_set(err, -errno, "%s: %s", spec->image,
				 strerror(errno));
	if (access(*ret_path, X_OK))
		return error_set(err, -errno,
				 "%s: cannot be executed: %s: run chmod +x on "
				 "it, or name the interpreter of a script",
				 *ret_path, strerror(errno));
	return 0;
}

/* The interrupts have been checked when the catalog was read. */
static void take_devices(struct gunyah_options *options,
			 const struct catalog_function *spec)
{
	options->is_on = spec->devices == CATALOG_DEVICES_GUNYAH;
	while (options->count < GUNYAH_INTERRUPTS_MAX &&
	       spec->interrupts[options->count] &&
	       !catalog_interrupts_parse(spec->interrupts[options->count],
					 &options->interrupts[options->count]))
		options->count++;
}

/* What the program is to answer before it is used. */
static int take_warm_input(struct function_linux *program,
			   const struct catalog_function *spec,
			   struct error *err)
{
	const struct catalog_warm_input *warm = &spec->warm_input;
	struct device_call *call = &program->program.warm.call;
	int r = 0;

	if (!warm->count)
		return 0;
	if (warm->text) {
		call->body = warm->text;
		call->size = strlen(warm->text);
	} else {
		r = request_file_read(warm->file, spec->max_request,
				      "max_request", err, &program->warm_input,
				      &call->size);
		if (r)
			error_prefix(err, r, "warm_input");
		call->body = program->warm_input;
	}
	program->program.warm.count = warm->count;
	program->program.warm.reply_max = spec->max_reply;
	return r;
}

/* What is noted later may be newer. */
static void note_hosts(const struct catalog_function *spec,
		       struct linux_seen *seen)
{
	if (!seen)
		return;
	if (!spec->root)
		linux_seen_note_host(seen, spec->image);
	if (spec->warm_input.file)
		linux_seen_note_host(seen, spec->warm_input.file);
}

/* Opens what the program of @spec is, and what it is given. */
static int prepare(struct function_linux *program,
		   const struct catalog_function *spec,
		   const struct function_linux_start *start, struct error *err)
{
	int r = find_executable(spec, err, &program->path);

	if (r)
		return r;
	program->environment = make_environment(spec->environment);
	if (!program->environment)
		return error_set(err, -ENOMEM, "no memory for an environment");
	program->program = (struct linux_program){
		.path = program->path,
		.arguments = spec->arguments,
		.environment = program->environment,
		.trace = start->trace,
		.tmp_size = spec->tmp,
		.is_code_writable = spec->writable_code,
		.memory = start->memory,
	};
	take_devices(&program->program.gunyah, spec);
	r = root_open(&program->program.root, spec->root, spec->files,
		      program->path, err);
	return r ? r : take_warm_input(program, spec, err);
}

static int boot(struct function_linux *program, struct program_store *stored,
		const struct snapshot_options *options, struct error *err,
		struct snapshot **ret_snapshot)
{
	int r;

	program->program.seen = stored->seen;
	r = linux_boot(&program->program, options, err, &program->process,
		       ret_snapshot);
	program->program.seen = NULL;
	if (!r)
		program_store_booted(stored, &program->process, *ret_snapshot);
	return r;
}

static int load_or_boot(struct function_linux *program,
			struct program_store *stored,
			const struct function_linux_start *start,
			const struct snapshot_options *options,
			struct error *err, struct snapshot **ret_snapshot)
{
	int r;

	note_hosts(stored->spec, stored->seen);
	r = prepare(program, stored->spec, start, err);
	if (!r)
		r = program_store_load(stored, &program->program, options, err,
				       &program->process, ret_snapshot);
	return r > 0 ? boot(program, stored, options, err, ret_snapshot) : r;
}

static void free_prepared(struct function_linux *program)
{
	root_close(&program->program.root);
	free(program->environment);
	free(program->path);
	free(program->warm_input);
	free(program);
}

int function_linux_boot(const struct catalog_function *spec,
			struct function_linux_start *start,
			const struct snapshot_options *options,
			struct error *err, struct function_linux **ret_program,
			struct snapshot **ret_snapshot)
{
	struct function_linux *program = calloc(1, sizeof(*program));
	struct program_store stored;
	int r;

	if (!program)
		return error_set(err, -ENOMEM, "no memory for a program");
	program->program.root.top = program->program.root.host = -1;
	/* a start that is traced is to be seen */
	r = program_store_begin(start->trace.line ? NULL : start->store, spec,
				options, start->seen, err, &stored);
	if (!r)
		r = load_or_boot(program, &stored, start, options, err,
				 ret_snapshot);
	start->is_stored = stored.is_stored;
	start->why = stored.why;
	start->writing = stored.writing;
	program_store_end(&stored);
	if (r)
		free_prepared(program);
	else
		*ret_program = program;
	return r;
}

/* Opens what a boot of @spec would open, as it is now. */
static int open_root(const struct catalog_function *spec, struct root *ret_root)
{
	cleanup_free char *path = NULL;
	int r = find_executable(spec, NULL, &path);

	return r ? r : root_open(ret_root, spec->root, spec->files, path, NULL);
}

bool function_linux_is_same(const struct catalog_function *spec,
			    struct linux_seen *seen)
{
	struct root root;
	bool is_same;

	if (open_root(spec, &root))
		return false;
	is_same = linux_seen_is_same(seen, &root);
	root_close(&root);
	return is_same;
}

void function_linux_folders(const struct catalog_function *spec,
			    struct linux_seen *seen,
			    void (*call)(void *cookie, const char *folder),
			    void *cookie)
{
	struct root root;

	if (open_root(spec, &root))
		return;
	linux_seen_folders(seen, &root, spec->root, call, cookie);
	root_close(&root);
}

int function_linux_check(const struct catalog_function *spec, struct error *err)
{
	struct linux_program program = { .path = NULL };
	char *path = NULL;
	int r = find_executable(spec, err, &path);

	if (r) {
		free(path);
		return r;
	}
	program.path = path;
	program.arguments = spec->arguments;
	r = root_open(&program.root, spec->root, spec->files, path, err);
	if (!r) {
		r = linux_load_check(&program, err);
		root_close(&program.root);
	}
	free(path);
	return r;
}

void function_linux_free(struct function_linux *program)
{
	if (!program)
		return;
	linux_process_done(&program->process);
	free_prepared(program);
}
