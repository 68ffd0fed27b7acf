/* child.c - see child.h. */
#include "bench/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static int child_spawn(const char *path, const char *const *arguments, int in,
		       int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	/* it does not change the arguments */
	r = posix_spawn(ret_pid, path, &actions, NULL,
			(char *const *)(void *)arguments, NULL);
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

int child_start(const char *path, const char *const *arguments,
		struct child *ret_child)
{
	int in[2], out[2];
	int r = make_pipes(in, out);

	if (r)
		return r;
	r = child_spawn(path, arguments, in[0], out[1], &ret_child->pid);
	close(in[0]);
	close(out[1]);
	if (r) {
		close(in[1]);
		close(out[0]);
		return r;
	}
	ret_child->to = in[1];
	ret_child->from = out[0];
	return 0;
}

int child_send(const struct child *child, const void *data, size_t size)
{
	return write(child->to, data, size) == (ssize_t)size ? 0 : -EPIPE;
}

void child_close_input(struct child *child)
{
	close(child->to);
	child->to = -1;
}

int child_end(struct child *child)
{
	int status = -1;

	if (child->to >= 0)
		child_close_input(child);
	waitpid(child->pid, &status, 0);
	close(child->from);
	return status ? -ECHILD : 0;
}
