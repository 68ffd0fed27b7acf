/*
 * process.c - the alternatives to thaw: process.spawn starts a static program
 * for each request; process.fork has a process fork for each. See row.h;
 * bench/guest/spawned.c is the other side.
 *
 * This process itself does not fork, because that would slow down its vms.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/row.h"

/* A child process and the pipes to it. */
struct process {
	pid_t child;
	int to, from;
};

static const char request[BENCH_REQUEST_SIZE];

static int process_spawn(const char *path, const char *argument, int in,
			 int out, pid_t *ret_child)
{
	char *const arguments[] = { (char *)"spawned", (char *)argument, NULL };
	posix_spawn_file_actions_t actions;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	r = posix_spawn(ret_child, path, &actions, NULL, arguments, NULL);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int make_pipes(int in[2], int out[2])
{
	int r;

	if (pipe2(in, O_CLOEXEC))
		return -errno;
	if (!pipe2(out, O_CLOEXEC))
		return 0;
	r = -errno;
	close(in[0]);
	close(in[1]);
	return r;
}

static int process_start(const struct bench_setup *setup, const char *argument,
			 struct process *process)
{
	int in[2], out[2];
	int r = make_pipes(in, out);

	if (r)
		return r;
	r = process_spawn(setup->program_path, argument, in[0], out[1],
			  &process->child);
	close(in[0]);
	close(out[1]);
	if (r) {
		close(in[1]);
		close(out[0]);
		return r;
	}
	process->to = in[1];
	process->from = out[0];
	return 0;
}

static int send_request(const struct process *process)
{
	ssize_t n = write(process->to, request, sizeof(request));

	return n == sizeof(request) ? 0 : -EPIPE;
}

/* Reads @size bytes; fewer mean that the child has failed. */
static int process_receive(const struct process *process, size_t size)
{
	char reply[BENCH_REQUEST_SIZE + 1];
	size_t done = 0;
	ssize_t n;

	while (done < size &&
	       (n = read(process->from, reply + done, size - done)) > 0)
		done += (size_t)n;
	return done == size ? 0 : -EPIPE;
}

/* Closes the pipe to the child and waits for its end. */
static void process_end(struct process *process)
{
	close(process->to);
	waitpid(process->child, NULL, 0);
	close(process->from);
}

static int process_failed(struct error *err, int r)
{
	return error_set(err, r, "bench/spawned: %s", strerror(-r));
}

static int once_spawn(struct bench_row *row, struct error *err,
		      uint64_t *ret_ns)
{
	const uint64_t start_ns = clock_now_ns();
	struct process process;
	int r = process_start(row->setup, NULL, &process);

	if (r)
		return process_failed(err, r);
	r = send_request(&process);
	if (!r) {
		/* the child replies at the end of its input */
		close(process.to);
		process.to = -1;
		r = process_receive(&process, sizeof(request));
	}
	process_end(&process);
	*ret_ns = clock_now_ns() - start_ns;
	return r ? process_failed(err, r) : 0;
}

const struct bench_kind bench_process_spawn = { .once = once_spawn };

static int open_fork(struct bench_row *row, struct error *err)
{
	struct process *process = calloc(1, sizeof(*process));
	char size[16];
	int r;

	if (!process)
		return error_set(err, -ENOMEM, "no memory");
	snprintf(size, sizeof(size), "%zu", sizeof(request));
	r = process_start(row->setup, size, process);
	if (r) {
		free(process);
		return process_failed(err, r);
	}
	row->state = process;
	return 0;
}

/* The byte after the reply says that the forked process has ended. */
static int once_fork(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	const struct process *process = row->state;
	const uint64_t start_ns = clock_now_ns();
	int r = send_request(process);

	if (!r)
		r = process_receive(process, sizeof(request) + 1);
	*ret_ns = clock_now_ns() - start_ns;
	return r ? process_failed(err, r) : 0;
}

static void close_fork(struct bench_row *row)
{
	process_end(row->state);
	free(row->state);
}

const struct bench_kind bench_process_fork = {
	.open = open_fork,
	.once = once_fork,
	.close = close_fork,
};
