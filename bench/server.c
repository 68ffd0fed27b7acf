/* server.c - see server.h. */
#include "bench/server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "bench/client.h"
#include "bench/files.h"
#include "bench/scratch.h"

/* Time in which the server has to serve; time to end before it is killed. */
#define START_NS (20 * NS_PER_S)
#define END_NS (2 * NS_PER_S)
#define LOOK_NS (2 * NS_PER_MS)

#define PATH_SIZE (SCRATCH_PATH_SIZE + 16)

/* The files that this process makes or asks for; the server adds its own. */
enum file {
	CATALOG,
	IMAGE,
	LOG,
	FRAMES,
	HTTP,
	ADMIN,
	FILES
};

static const char *const names[FILES] = {
	[CATALOG] = "catalog.json",
	[IMAGE] = BENCH_SERVER_IMAGE,
	[LOG] = "log",
	[FRAMES] = "thaw.sock",
	[HTTP] = "http.sock",
	[ADMIN] = "admin.sock",
};

struct bench_server {
	pid_t child; /* 0: none */
	clockid_t clock;
	bool has_one_cpu;
	cpu_set_t cpus; /* this thread's CPUs */
	cpu_set_t cpu;	/* the last of them, if the server has one */
	struct scratch *scratch;
	char paths[FILES][PATH_SIZE];
};

static int make_folder(struct bench_server *server, struct error *err)
{
	int r = scratch_make(err, &server->scratch);

	for (unsigned i = 0; i < FILES && !r; i++)
		snprintf(server->paths[i], PATH_SIZE, "%s/%s",
			 scratch_path(server->scratch), names[i]);
	return r;
}

static int write_catalog(const char *path, const char *text)
{
	cleanup_fclose FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	fputs(text, file);
	return fflush(file) ? -errno : 0;
}

static void choose_cpu(struct bench_server *server)
{
	int last = CPU_SETSIZE - 1;

	/* fails on machines with more CPUs than a set has: assume all of it */
	if (sched_getaffinity(0, sizeof(server->cpus), &server->cpus))
		memset(&server->cpus, 0xff, sizeof(server->cpus));
	while (last > 0 && !CPU_ISSET(last, &server->cpus))
		last--;
	CPU_ZERO(&server->cpu);
	CPU_SET(last, &server->cpu);
}

void bench_server_share_cpu(const struct bench_server *server, bool share)
{
	const cpu_set_t *cpus = share ? &server->cpu : &server->cpus;

	sched_setaffinity(0, sizeof(*cpus), cpus);
}

static void bench_server_child_ended(struct bench_server *server)
{
	server->child = 0;
	scratch_child_ended(server->scratch);
}

/* Starts a program that ends when this process does, however that ends. */
static pid_t bench_server_spawn(const struct bench_server *server,
				const char *program, char *const *arguments,
				int log)
{
	const pid_t parent = getpid();
	sigset_t mask;
	pid_t child;

	scratch_begin_start(&mask);
	child = fork();
	if (child) {
		scratch_end_start(server->scratch, child > 0 ? child : 0,
				  &mask);
		return child;
	}
	scratch_forget();
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	if (server->has_one_cpu)
		bench_server_share_cpu(server, true);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execv(program, arguments);
	_exit(127);
}

static int start_child(struct bench_server *server, struct error *err)
{
	const char *given = getenv(BENCH_SERVER_VARIABLE);
	const char *program = given && *given ? given : "/proc/self/exe";
	char listen[PATH_SIZE + 8], admin[PATH_SIZE + 8];
	cleanup_close int log =
		open(server->paths[LOG], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char *const arguments[] = {
		(char *)"thaw",
		(char *)"serve",
		(char *)"-c",
		server->paths[CATALOG],
		(char *)"--socket",
		server->paths[FRAMES],
		(char *)"--listen",
		listen,
		(char *)"--admin",
		admin,
		(char *)"--echo-function",
		(char *)BENCH_SERVER_ECHO,
		/* the rest only with one CPU */
		server->has_one_cpu ? (char *)"--workers" : NULL,
		(char *)"1",
		NULL,
	};
	pid_t child;

	if (log < 0)
		return error_set(err, -errno, "%s: %s", server->paths[LOG],
				 strerror(errno));
	choose_cpu(server);
	snprintf(listen, sizeof(listen), "unix:%s", server->paths[HTTP]);
	snprintf(admin, sizeof(admin), "unix:%s", server->paths[ADMIN]);
	child = bench_server_spawn(server, program, arguments, log);
	if (child < 0)
		return error_set(err, -errno, "cannot start %s: %s", program,
				 strerror(errno));
	server->child = child;
	if (clock_getcpuclockid(child, &server->clock))
		server->clock = -1;
	return 0;
}

/* Copies the last line of the server's log, or "". */
static void read_log(const struct bench_server *server, char *line, int size)
{
	cleanup_fclose FILE *file = fopen(server->paths[LOG], "re");
	char next[512];

	line[0] = '\0';
	while (file && fgets(next, sizeof(next), file)) {
		next[strcspn(next, "\n")] = '\0';
		/* this line is advice, not a reason */
		if (strncmp(next, "see: ", 5) != 0)
			snprintf(line, (size_t)size, "%s", next);
	}
}

static int not_serving(const struct bench_server *server, const char *what,
		       struct error *err)
{
	char line[512];

	read_log(server, line, sizeof(line));
	return error_set(err, -EOPNOTSUPP, "`thaw serve` %s%s%s", what,
			 *line ? ": " : "", line);
}

static bool bench_server_has_ended(struct bench_server *server)
{
	if (waitpid(server->child, NULL, WNOHANG) == 0)
		return false;
	bench_server_child_ended(server);
	return true;
}

/* Asks each listener once, so that everything is started. */
static int try_call(const struct bench_server *server,
		    enum load_protocol protocol, const char *function,
		    struct error *err)
{
	struct bench_client client;
	int r = bench_client_open(&client, bench_server_path(server, protocol),
				  protocol, function, err);

	if (!r)
		r = bench_client_send(&client, err);
	if (!r)
		r = bench_client_receive(&client, err);
	bench_client_close(&client);
	return r;
}

static int try_all(const struct bench_server *server, struct error *err)
{
	int r = try_call(server, LOAD_FRAMES, BENCH_SERVER_ECHO, err);

	if (!r)
		r = try_call(server, LOAD_HTTP, BENCH_SERVER_ECHO, err);
	if (!r)
		r = try_call(server, LOAD_FRAMES, BENCH_SERVER_FUNCTION, err);
	if (!r)
		r = try_call(server, LOAD_HTTP, BENCH_SERVER_FUNCTION, err);
	return r;
}

static int wait_until_it_serves(struct bench_server *server, struct error *err)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	const uint64_t end_ns = clock_now_ns() + START_NS;
	struct error last;

	while (try_all(server, &last)) {
		if (bench_server_has_ended(server))
			return not_serving(server, "has ended", err);
		if (clock_now_ns() > end_ns)
			return error_set(err, -EOPNOTSUPP,
					 "`thaw serve` does not serve: %s",
					 last.message);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int bench_server_start(const struct bench_setup *setup,
			      const struct bench_server_options *options,
			      struct bench_server *server, struct error *err)
{
	int r = make_folder(server, err);

	if (r)
		return r;
	server->has_one_cpu = options->has_one_cpu;
	r = bench_files_copy_guest(setup, server->paths[IMAGE], err);
	if (r)
		return r;
	r = write_catalog(server->paths[CATALOG], options->catalog);
	if (r)
		return error_set(err, r, "cannot write %s: %s",
				 server->paths[CATALOG], strerror(-r));
	r = start_child(server, err);
	return r ? r : wait_until_it_serves(server, err);
}

int bench_server_open(const struct bench_setup *setup,
		      const struct bench_server_options *options,
		      struct error *err, struct bench_server **ret_server)
{
	struct bench_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return error_set(err, -ENOMEM, "no memory");
	r = bench_server_start(setup, options, server, err);
	if (r)
		bench_server_close(server);
	else
		*ret_server = server;
	return r;
}

int bench_server_reload(const struct bench_server *server, const char *catalog,
			struct error *err)
{
	int r = write_catalog(server->paths[CATALOG], catalog);

	if (!r && kill(server->child, SIGHUP))
		r = -errno;
	if (r)
		return error_set(err, r, "cannot reload the server: %s",
				 strerror(-r));
	return 0;
}

/* Asks the server to end, then kills it. */
static void end_child(struct bench_server *server)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	const uint64_t end_ns = clock_now_ns() + END_NS;

	kill(server->child, SIGTERM);
	while (clock_now_ns() < end_ns) {
		if (bench_server_has_ended(server))
			return;
		nanosleep(&pause, NULL);
	}
	kill(server->child, SIGKILL);
	waitpid(server->child, NULL, 0);
	bench_server_child_ended(server);
}

void bench_server_close(struct bench_server *server)
{
	if (!server)
		return;
	if (server->child)
		end_child(server);
	scratch_remove(server->scratch);
	free(server);
}

const char *bench_server_path(const struct bench_server *server,
			      enum load_protocol protocol)
{
	return server->paths[protocol == LOAD_HTTP ? HTTP : FRAMES];
}

/* Whether the thread is a worker, by its name. */
static bool is_worker(const char *tasks, const char *thread)
{
	char path[64 + NAME_MAX], name[32] = "";
	cleanup_fclose FILE *file = NULL;

	snprintf(path, sizeof(path), "%s/%s/comm", tasks, thread);
	file = fopen(path, "re");
	return file && fgets(name, sizeof(name), file) &&
	       !strcmp(name, "thaw-worker\n");
}

int bench_server_find_worker(const struct bench_server *server,
			     struct error *err, pid_t *ret_process,
			     pid_t *ret_thread)
{
	const struct dirent *entry;
	char tasks[32];
	DIR *stream;

	snprintf(tasks, sizeof(tasks), "/proc/%d/task", (int)server->child);
	stream = opendir(tasks);
	*ret_process = server->child;
	*ret_thread = 0;
	while (stream && !*ret_thread && (entry = readdir(stream)))
		if (is_worker(tasks, entry->d_name))
			*ret_thread = (pid_t)strtol(entry->d_name, NULL, 10);
	if (stream)
		closedir(stream);
	return *ret_thread ? 0 :
			     error_set(err, -ESRCH, "%s: no thread is a worker",
				       tasks);
}

uint64_t bench_server_cpu_ns(const struct bench_server *server)
{
	return clock_read_ns(server->clock);
}
