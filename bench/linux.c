/*
 * linux.c - rows of programs that a machine has: linux.NAME invokes one as a function
 * whose vm is warm; process.NAME starts it for each request; bubblewrap.NAME does that in
 * namespaces of its own. All send the request, take the whole reply, and wait for the
 * end: of the restore, or of the process. See row.h and programs.h.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/child.h"
#include "bench/programs.h"
#include "bench/row.h"

#define BWRAP "/usr/bin/bwrap"
#define ARGUMENTS_MAX 32
/* Requests that a program answers before its snapshot. */
#define WARM_COUNT 100

struct linux_state {
	struct thaw *thaw; /* NULL: the row starts processes */
	char program[PATH_MAX + 64];
	const char *path; /* of what is started: the program, or bwrap */
	const char *arguments[ARGUMENTS_MAX];
	char input[BENCH_INPUT_MAX];
	size_t input_size;
};

static int require_program(const char *path, struct error *err)
{
	return access(path, X_OK) ?
		       error_set(err, -EOPNOTSUPP, "there is no %s", path) :
		       0;
}

/* Writes the path to @to; "": it is not known where thaw is. */
static void linux_find(const char *path, char to[static PATH_MAX + 64])
{
	char own[PATH_MAX] = "";
	char *slash;

	if (*path != '/' &&
	    readlink("/proc/self/exe", own, sizeof(own) - 1) < 0)
		*own = '\0';
	slash = strrchr(own, '/');
	snprintf(to, PATH_MAX + 64, "%.*s%s",
		 slash ? (int)(slash + 1 - own) : 0, own, path);
}

static int linux_new(struct bench_row *row, struct error *err,
		     struct linux_state **ret_state)
{
	const struct bench_program *program = row->program;
	struct linux_state *state = calloc(1, sizeof(*state));
	int r;

	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	linux_find(program->path, state->program);
	r = require_program(state->program, err);
	if (r) {
		free(state);
		return r;
	}
	state->path = state->program;
	state->input_size = bench_program_input(program, state->input);
	row->state = state;
	*ret_state = state;
	return 0;
}

static void linux_warm(json_t *catalog, const char *input)
{
	json_t *function =
		json_array_get(json_object_get(catalog, "functions"), 0);

	json_object_set_new(function, "warm_input",
			    json_pack("{s:s, s:i}", "text", input, "count",
				      WARM_COUNT));
}

static char *linux_catalog(const struct bench_program *program,
			   const char *path)
{
	json_t *arguments = json_array(), *catalog;
	char *text;

	for (size_t i = 0; program->arguments[i]; i++)
		json_array_append_new(arguments,
				      json_string(program->arguments[i]));
	catalog = json_pack("{s:[{s:s, s:s, s:s, s:s, s:s, s:{s:i}, s:o}]}",
			    "functions", "name", "f", "kind", "linux",
			    "program", path, "memory", "128MiB", "timeout",
			    "10s", "concurrency", "max", 1, "argv", arguments);
	/* it asks at /dev/thaw, and so it can be warm */
	if (catalog && program->process_arguments)
		linux_warm(catalog, program->input);
	text = catalog ? json_dumps(catalog, JSON_COMPACT) : NULL;
	json_decref(catalog);
	return text;
}

static struct thaw_error *outer(struct error *err)
{
	return (struct thaw_error *)(void *)err;
}

static int linux_open(struct bench_row *row, struct error *err)
{
	struct linux_state *state;
	char *text;
	int r = linux_new(row, err, &state);

	if (r)
		return r;
	text = linux_catalog(row->program, state->program);
	if (!text)
		return error_set(err, -ENOMEM, "no memory for a catalog");
	r = engine_open_text(text, strlen(text), "bench.json",
			     &row->setup->options, outer(err), &state->thaw);
	free(text);
	return r ? r : thaw_deploy(state->thaw, "f", outer(err));
}

static int linux_once(struct bench_row *row, struct error *err,
		      uint64_t *ret_ns)
{
	const struct linux_state *state = row->state;
	const struct thaw_invoke_request request = {
		.data = state->input, .size = state->input_size
	};
	const uint64_t start_ns = clock_now_ns();
	struct thaw_reply reply;
	int r = thaw_invoke(state->thaw, "f", &request, outer(err), &reply);

	if (r)
		return r;
	if (reply.result != THAW_OK)
		r = error_set(err, -EPROTO, "%s: %s", reply.error_type,
			      reply.error_message);
	else if (!reply.size)
		r = error_set(err, -EPROTO, "an empty reply");
	row->exits = reply.exits;
	thaw_reply_release(&reply);
	*ret_ns = clock_now_ns() - start_ns;
	return r;
}

static void linux_close(struct bench_row *row)
{
	struct linux_state *state = row->state;

	thaw_close(state->thaw);
	free(state);
}

static const char *const *process_arguments(const struct bench_program *program)
{
	return program->process_arguments ? program->process_arguments :
					    program->arguments;
}

static int linux_process_open(struct bench_row *row, struct error *err)
{
	const char *const *arguments = process_arguments(row->program);
	struct linux_state *state;
	int r = linux_new(row, err, &state);

	for (size_t i = 0; !r && arguments[i]; i++)
		state->arguments[i] = arguments[i];
	return r;
}

/* The file system is the host's, read-only; everything else is the process' own. */
static int linux_bubblewrap_open(struct bench_row *row, struct error *err)
{
	static const char *const own[] = {
		"bwrap", "--unshare-all", "--ro-bind", "/",	"/",
		"--dev", "/dev",	  "--proc",    "/proc",
	};
	const size_t count = sizeof(own) / sizeof(*own);
	const char *const *arguments = process_arguments(row->program);
	struct linux_state *state;
	int r = require_program(BWRAP, err);

	if (!r)
		r = linux_new(row, err, &state);
	if (r)
		return r;
	state->path = BWRAP;
	memcpy(state->arguments, own, sizeof(own));
	state->arguments[count] = state->program;
	for (size_t i = 1; arguments[i]; i++)
		state->arguments[count + i] = arguments[i];
	return 0;
}

/* Reads up to the end, and returns how many bytes there were. */
static size_t linux_receive(const struct child *child)
{
	char reply[BENCH_INPUT_MAX];
	size_t size = 0;
	ssize_t n;

	while ((n = read(child->from, reply, sizeof(reply))) > 0)
		size += (size_t)n;
	return size;
}

static int linux_process_once(struct bench_row *row, struct error *err,
			      uint64_t *ret_ns)
{
	const struct linux_state *state = row->state;
	const uint64_t start_ns = clock_now_ns();
	struct child child;
	size_t size = 0;
	int r = child_start(state->path, state->arguments, &child);

	if (r)
		return error_set(err, r, "%s: %s", state->path, strerror(-r));
	r = child_send(&child, state->input, state->input_size);
	if (!r) {
		child_close_input(&child);
		size = linux_receive(&child);
	}
	if (child_end(&child) || r || !size)
		return error_set(err, -EPROTO,
				 "%s has failed, as a process that reads its "
				 "standard input",
				 state->path);
	*ret_ns = clock_now_ns() - start_ns;
	return 0;
}

const struct bench_kind bench_linux = {
	.open = linux_open,
	.once = linux_once,
	.close = linux_close,
};

const struct bench_kind bench_linux_process = {
	.open = linux_process_open,
	.once = linux_process_once,
	.close = linux_close,
};

const struct bench_kind bench_linux_bubblewrap = {
	.open = linux_bubblewrap_open,
	.once = linux_process_once,
	.close = linux_close,
};
