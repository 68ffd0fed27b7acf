/*
 * process.c - the alternatives to thaw: process.spawn starts a static program
 * for each request; process.fork has a process fork for each. See row.h;
 * bench/guest/spawned.c is the other side.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/child.h"
#include "bench/row.h"

static const char request[BENCH_REQUEST_SIZE];

static int process_start(const struct bench_setup *setup, const char *argument,
			 struct child *child)
{
	const char *const arguments[] = { "spawned", argument, NULL };

	return child_start(setup->program_path, arguments, child);
}

/* Reads @size bytes; fewer mean that the child has failed. */
static int process_receive(const struct child *child, size_t size)
{
	char reply[BENCH_REQUEST_SIZE + 1];
	size_t done = 0;
	ssize_t n;

	while (done < size &&
	       (n = read(child->from, reply + done, size - done)) > 0)
		done += (size_t)n;
	return done == size ? 0 : -EPIPE;
}

static int process_failed(struct error *err, int r)
{
	return error_set(err, r, "bench/spawned: %s", strerror(-r));
}

static int once_spawn(struct bench_row *row, struct error *err,
		      uint64_t *ret_ns)
{
	const uint64_t start_ns = clock_now_ns();
	struct child child;
	int r = process_start(row->setup, NULL, &child);

	if (r)
		return process_failed(err, r);
	r = child_send(&child, request, sizeof(request));
	if (!r) {
		/* the child replies at the end of its input */
		child_close_input(&child);
		r = process_receive(&child, sizeof(request));
	}
	(void)child_end(&child);
	*ret_ns = clock_now_ns() - start_ns;
	return r ? process_failed(err, r) : 0;
}

const struct bench_kind bench_process_spawn = { .once = once_spawn };

static int open_fork(struct bench_row *row, struct error *err)
{
	struct child *child = calloc(1, sizeof(*child));
	char size[16];
	int r;

	if (!child)
		return error_set(err, -ENOMEM, "no memory");
	snprintf(size, sizeof(size), "%zu", sizeof(request));
	r = process_start(row->setup, size, child);
	if (r) {
		free(child);
		return process_failed(err, r);
	}
	row->state = child;
	return 0;
}

/* The byte after the reply says that the forked process has ended. */
static int once_fork(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	const struct child *child = row->state;
	const uint64_t start_ns = clock_now_ns();
	int r = child_send(child, request, sizeof(request));

	if (!r)
		r = process_receive(child, sizeof(request) + 1);
	*ret_ns = clock_now_ns() - start_ns;
	return r ? process_failed(err, r) : 0;
}

static void close_fork(struct bench_row *row)
{
	(void)child_end(row->state);
	free(row->state);
}

const struct bench_kind bench_process_fork = {
	.open = open_fork,
	.once = once_fork,
	.close = close_fork,
};
