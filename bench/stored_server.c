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
#include "bench/files.h"
#include "bench/server.h"

#define FOLDER "/tmp/thaw-bench-XXXXXX"
#define PATH_SIZE (sizeof(FOLDER) + 16)
/* Of the disk, for the snapshots. */
#define STATE_MAX "64GiB"

/* Time in which the server has to be ready; and how often it is asked. */
#define READY_NS (120 * NS_PER_S)
#define LOOK_NS NS_PER_MS

struct bench_stored {
	char folder[sizeof(FOLDER)];
	char catalog[PATH_SIZE], state[PATH_SIZE], log[PATH_SIZE];
	char http[PATH_SIZE + 8], admin[PATH_SIZE + 8];
};

static const char *program_of(void)
{
	const char *given = getenv(BENCH_SERVER_VARIABLE);

	return given && *given ? given : "/proc/self/exe";
}

/* Starts thaw with @arguments; what it says is in the log. 0 or -errno. */
static int start(const struct bench_stored *stored,
		 const char *const *arguments, pid_t *ret_child)
{
	static char *const environment[] = { NULL };
	posix_spawn_file_actions_t files;
	int r;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, stored->log,
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	r = posix_spawn(ret_child, program_of(), &files, NULL,
			(char *const *)arguments, environment);
	posix_spawn_file_actions_destroy(&files);
	return -r;
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
static int fill(const struct bench_stored *stored, struct error *err)
{
	const char *const arguments[] = { "thaw",	   "snapshot",
					  "create",	   "--catalog",
					  stored->catalog, "--state-dir",
					  stored->state,   "--state-max",
					  STATE_MAX,	   NULL };
	pid_t child;
	int status = 0, r = start(stored, arguments, &child);

	if (r)
		return error_set(err, r, "cannot start %s: %s", program_of(),
				 strerror(-r));
	if (waitpid(child, &status, 0) != child || status)
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
			"%s\n{\"name\":\"f%u\",\"image\":\"bench.elf\","
			"\"entry\":\"empty\",\"environment\":{\"N\":\"%u\"}}",
			i ? "," : "", i, i);
	fprintf(file, "]}\n");
	if (fflush(file))
		return error_set(err, -errno, "%s: %s", stored->catalog,
				 strerror(errno));
	return 0;
}

static int copy_image(int from, const char *folder, struct error *err)
{
	char path[PATH_SIZE], bytes[65536];
	cleanup_close int to = -1;
	off_t done = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/bench.elf", folder);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	while (to >= 0 && (n = pread(from, bytes, sizeof(bytes), done)) > 0) {
		if (write(to, bytes, (size_t)n) != n)
			return error_set(err, -EIO, "cannot write %s", path);
		done += n;
	}
	return to < 0 ?
		       error_set(err, -errno, "%s: %s", path, strerror(errno)) :
		       0;
}

static int make_folder(struct bench_stored *stored, struct error *err)
{
	strcpy(stored->folder, FOLDER);
	if (!mkdtemp(stored->folder)) {
		stored->folder[0] = '\0';
		return error_set(err, -errno, "a state directory in /tmp: %s",
				 strerror(errno));
	}
	snprintf(stored->catalog, PATH_SIZE, "%s/catalog.json", stored->folder);
	snprintf(stored->state, PATH_SIZE, "%s/state", stored->folder);
	snprintf(stored->log, PATH_SIZE, "%s/log", stored->folder);
	snprintf(stored->http, sizeof(stored->http), "unix:%s/http.sock",
		 stored->folder);
	snprintf(stored->admin, sizeof(stored->admin), "unix:%s/admin.sock",
		 stored->folder);
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
		r = copy_image(setup->guest_fd, stored->folder, err);
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

static int wait_until_ready(const struct bench_stored *stored, pid_t child,
			    struct error *err)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	const uint64_t until_ns = clock_now_ns() + READY_NS;

	while (!is_ready(stored)) {
		if (waitpid(child, NULL, WNOHANG) == child)
			return program_failed(stored, "thaw serve", err);
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
	pid_t child;
	int r = start(stored, arguments, &child);

	if (r)
		return error_set(err, r, "cannot start %s: %s", program_of(),
				 strerror(-r));
	r = wait_until_ready(stored, child, err);
	if (!r)
		*ret_server = child;
	else if (r != -EOPNOTSUPP)
		bench_stored_end(child);
	return r;
}

void bench_stored_end(pid_t server)
{
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
}

void bench_stored_close(struct bench_stored *stored)
{
	if (!stored)
		return;
	if (stored->folder[0]) {
		bench_files_remove(stored->state);
		bench_files_remove(stored->folder);
	}
	free(stored);
}
