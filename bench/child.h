/*
 * child.h - a child process with pipes to its standard input and output, for the rows
 * that thaw is compared to. This process itself does not fork, because that would slow
 * down its vms.
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <stddef.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int to, from; /* -1: closed */
};

/*
 * Starts @path with @arguments, which end with NULL, and an empty environment. Returns
 * 0, and child_end() is due; or -errno.
 */
int child_start(const char *path, const char *const *arguments,
		struct child *ret_child);

/* Writes @size bytes to it; they must fit into a pipe. 0 or -EPIPE. */
int child_send(const struct child *child, const void *data, size_t size);

/* Closes its standard input. */
void child_close_input(struct child *child);

/* Closes the pipes and waits for its end. 0; -ECHILD: its exit status is not 0. */
int child_end(struct child *child);

#endif
