/* stored_server.c - see stored_server.h. */
#include "bench/stored_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "bench/child.h"
#include "bench/files.h"
#include "bench/scratch.h"
#include "bench/server.h"

#define PATH_SIZE (SCRATCH_PATH_SIZE + 16)
#define IMAGE "bench.elf"
/* Of the disk, for the snapshots. */
#define STATE_MAX "64GiB"

/* Time in which the server has to be ready; and how often it is asked. */
#define READY_NS (120 * NS_PER_S)
#define LOOK_NS NS_PER_MS

struct bench_stored {
	struct scratch *scratch;
	pid_t child; /* 0: none */
	char catalog[PATH_SIZE], image[PATH_SIZE], state[PATH_SIZE];
	char log[PATH_SIZE];
	char http[PATH_SIZE + 8], admin[PATH_SIZE + 8];
};

static const char *program_of(void)
{
	const char *given = getenv(BENCH_SERVER_VARIABLE);

	return given && *given ? given : "/proc/self/exe";
}

/* Starts thaw with @arguments; what it says is in the log. 0 or -errno. */
static int start(struct bench_stored *stored, const char *const *arguments)
{
	static char *const environment[] = { NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	pid_t child = 0;
	sigset_t mask;
	int r;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, stored->log,
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	scratch_begin_start(&mask);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &mask);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn(&child, program_of(), &files, &attributes,
			(char *const *)arguments, environment);
	if (!r)
		stored->child = child;
	scratch_end_start(stored->scratch, stored->child, &mask);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return -r;
}

static void child_has_ended(struct bench_stored *stored)
{
	stored->child = 0;
	scratch_child_ended(stored->scratch);
}

/* Waits for its end. Returns its status. */
static int await_child(struct bench_stored *stored)
{
	int status = -1;

	waitpid(stored->child, &status, 0);
	child_has_ended(stored);
	return status;
}

/* Reads the last error that the child has said, or else its last line, or nothing. */
static void read_reason(const struct bench_stored *stored, char *reason,
			int size)
{
	cleanup_fclose FILE *log = fopen(stored->log, "re");
	char line[256];
	bool has_error = false;

	*reason = '\0';
	while (log && fgets(line, sizeof(line), log)) {
		const bool is_error = strstr(line, " error ");

		line[strcspn(line, "\n")] = '\0';
		if (is_error || !has_error)
			snprintf(reason, (size_t)size, "%s", line);
		has_error |= is_error;
	}
}

static int program_failed(const struct bench_stored *stored,
			  const char *program, struct error *err)
{
	char reason[256];

	read_reason(stored, reason, sizeof(reason));
	return error_set(err, -EOPNOTSUPP, "`%s` has ended%s%s", program,
			 *reason ? ": " : "", reason);
}

/* Boots all functions and has their snapshots written. */
static int fill(struct bench_stored *stored, struct error *err)
{
	const char *const arguments[] = { "thaw",	   "snapshot",
					  "create",	   "--catalog",
					  stored->catalog, "--state-dir",
					  stored->state,   "--state-max",
					  STATE_MAX,	   NULL };
	int r = start(stored, arguments);

	if (r)
		return error_set(err, r, "cannot start %s: %s", program_of(),
				 strerror(-r));
	if (await_child(stored))
		return program_failed(stored, "thaw snapshot create", err);
	return 0;
}

/* The functions are critical, so that the server is ready once all are deployed. */
static int write_catalog(const struct bench_stored *stored, unsigned functions,
			 struct error *err)
{
	cleanup_fclose FILE *file = fopen(stored->catalog, "we");

	if (!file)
		return error_set(err, -errno, "%s: %s", stored->catalog,
				 strerror(errno));
	fprintf(file, "{\"defaults\":{\"critical\":true},\"functions\":[");
	for (unsigned i = 0; i < functions; i++)
		fprintf(file,
			"%s\n{\"name\":\"f%u\",\"image\":\"" IMAGE "\","
			"\"entry\":\"empty\",\"environment\":{\"N\":\"%u\"}}",
			i ? "," : "", i, i);
	fprintf(file, "]}\n");
	if (fflush(file))
		return error_set(err, -errno, "%s: %s", stored->catalog,
				 strerror(errno));
	return 0;
}

static int make_folder(struct bench_stored *stored, struct error *err)
{
	const char *folder;
	int r = scratch_make(err, &stored->scratch);

	if (r)
		return r;
	folder = scratch_path(stored->scratch);
	snprintf(stored->catalog, PATH_SIZE, "%s/catalog.json", folder);
	snprintf(stored->image, PATH_SIZE, "%s/" IMAGE, folder);
	snprintf(stored->state, PATH_SIZE, "%s/state", folder);
	snprintf(stored->log, PATH_SIZE, "%s/log", folder);
	snprintf(stored->http, sizeof(stored->http), "unix:%s/http.sock",
		 folder);
	snprintf(stored->admin, sizeof(stored->admin), "unix:%s/admin.sock",
		 folder);
	return 0;
}

int bench_stored_open(const struct bench_setup *setup, unsigned functions,
		      struct error *err, struct bench_stored **ret_stored)
{
	struct bench_stored *stored = calloc(1, sizeof(*stored));
	int r;

	if (!stored)
		return error_set(err, -ENOMEM, "no memory");
	r = make_folder(stored, err);
	if (!r)
		r = bench_files_copy_guest(setup, stored->image, err);
	if (!r)
		r = write_catalog(stored, functions, err);
	if (!r)
		r = fill(stored, err);
	if (r)
		bench_stored_close(stored);
	else
		*ret_stored = stored;
	return r;
}

/* Whether the server says that all functions are deployed. */
static bool is_ready(const struct bench_stored *stored)
{
	static const char request[] =
		"GET /readyz HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: close\r\n\r\n";
	static const char good[] = "HTTP/1.1 200 ";
	const char *path = stored->admin + strlen("unix:");
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char reply[sizeof(good) - 1];

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	return fd >= 0 &&
	       !connect(fd, (const struct sockaddr *)&address,
			sizeof(address)) &&
	       send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) ==
		       sizeof(request) - 1 &&
	       recv(fd, reply, sizeof(reply), MSG_WAITALL) == sizeof(reply) &&
	       !memcmp(reply, good, sizeof(reply));
}

static int wait_until_ready(struct bench_stored *stored, struct error *err)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	const uint64_t until_ns = clock_now_ns() + READY_NS;

	while (!is_ready(stored)) {
		if (waitpid(stored->child, NULL, WNOHANG) == stored->child) {
			child_has_ended(stored);
			return program_failed(stored, "thaw serve", err);
		}
		if (clock_now_ns() > until_ns)
			return error_set(err, -ETIMEDOUT,
					 "`thaw serve` is not ready");
		nanosleep(&pause, NULL);
	}
	return 0;
}

int bench_stored_start(struct bench_stored *stored, struct error *err,
		       pid_t *ret_server)
{
	const char *const arguments[] = {
		"thaw",	       "serve",	      "--catalog",   stored->catalog,
		"--state-dir", stored->state, "--state-max", STATE_MAX,
		"--listen",    stored->http,  "--admin",     stored->admin,
		"--socket",    "none",	      NULL
	};
	int r = start(stored, arguments);

	if (r)
		return error_set(err, r, "cannot start %s: %s", program_of(),
				 strerror(-r));
	r = wait_until_ready(stored, err);
	if (!r)
		*ret_server = stored->child;
	else
		bench_stored_end(stored);
	return r;
}

void bench_stored_end(struct bench_stored *stored)
{
	if (!stored->child)
		return;
	kill(stored->child, SIGTERM);
	await_child(stored);
}

int bench_stored_invoke(const struct bench_stored *stored, struct error *err,
			uint64_t *ret_ns)
{
	const char *const arguments[] = { "thaw",	 "invoke",
					  "f0",		 "--include",
					  "--catalog",	 stored->catalog,
					  "--state-dir", stored->state,
					  NULL };
	struct child child = { .pid = 0 };
	uint64_t start_ns;
	sigset_t mask;
	char byte;
	int r;

	/* the child may keep the signals blocked, since it ends by itself */
	scratch_begin_start(&mask);
	start_ns = clock_now_ns();
	r = child_start(program_of(), arguments, &child);
	scratch_end_start(stored->scratch, child.pid, &mask);
	if (r)
		return error_set(err, r, "cannot start %s: %s", program_of(),
				 strerror(-r));
	child_close_input(&child);
	if (read(child.from, &byte, 1) != 1)
		r = -EPIPE;
	*ret_ns = clock_now_ns() - start_ns;
	while (!r && read(child.from, &byte, 1) == 1)
		;
	if (child_end(&child))
		r = -EPIPE;
	scratch_child_ended(stored->scratch);
	return r ? error_set(err, -EOPNOTSUPP, "`thaw invoke` has failed") : 0;
}

void bench_stored_close(struct bench_stored *stored)
{
	if (!stored)
		return;
	scratch_remove(stored->scratch);
	free(stored);
}
