/*
 * command.c - a process for each request.
 *
 *	command SECONDS PROGRAM [ARGUMENT...]
 *
 * Starts PROGRAM, a path, for each request, writes the request to its standard input,
 * reads all of its standard output, and waits for its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/child.h"
#include "bench/peers/samples.h"

static const char request[SAMPLES_REQUEST_SIZE];
static const char *const *command;

/* Reads up to the end; returns how many bytes there were. */
static size_t command_receive(const struct child *child)
{
	char reply[4096];
	size_t size = 0;
	ssize_t n;

	while ((n = read(child->from, reply, sizeof(reply))) > 0)
		size += (size_t)n;
	return size;
}

static int command_open(char **arguments)
{
	command = (const char *const *)arguments;
	return 0;
}

static int command_once(void)
{
	struct child child;
	size_t size = 0;
	int r = child_start(command[0], command, &child);

	if (r) {
		fprintf(stderr, "%s: %s\n", command[0], strerror(-r));
		return -1;
	}
	r = child_send(&child, request, sizeof(request));
	if (!r) {
		child_close_input(&child);
		size = command_receive(&child);
	}
	if (!child_end(&child) && !r && size == sizeof(request))
		return 0;
	fprintf(stderr, "%s has failed, or has not answered with the request\n",
		command[0]);
	return -1;
}

const struct samples_peer samples_peer = {
	.usage = "PROGRAM [ARGUMENT...]",
	.argument_count = 1,
	.open = command_open,
	.once = command_once,
};
