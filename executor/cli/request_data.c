/* request_data.c - reads the request's data. See request_data.h. */
#include "executor/cli/request_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "executor/cli/cli.h"

#define FIRST_READ (64 * UNITS_KIB)

static int cannot_read(const char *name, int error)
{
	cli_error("cannot read the request from %s: %s", name, strerror(error));
	return error == ENOMEM ? CLI_INTERNAL : CLI_NOT_FOUND;
}

/* Makes room for at least one byte more, and for one over the limit. */
static bool request_grow(char **data, size_t *capacity)
{
	size_t larger = *capacity ? *capacity * 2 : FIRST_READ;
	char *moved;

	if (larger > REQUEST_DATA_MAX)
		larger = REQUEST_DATA_MAX + 1;
	moved = realloc(*data, larger);
	if (!moved)
		return false;
	*data = moved;
	*capacity = larger;
	return true;
}

static int request_read_all(int fd, const char *name,
			    struct request_data *ret_data)
{
	cleanup_free char *data = NULL;
	size_t size = 0, capacity = 0;
	ssize_t got;

	do {
		if (size == capacity && !request_grow(&data, &capacity))
			return cannot_read(name, ENOMEM);
		got = read(fd, data + size, capacity - size);
		if (got < 0 && errno != EINTR)
			return cannot_read(name, errno);
		if (got > 0)
			size += (size_t)got;
		if (size > REQUEST_DATA_MAX) {
			cli_error("%s: more than %zu bytes, the largest "
				  "request of any function",
				  name, REQUEST_DATA_MAX);
			return CLI_USAGE;
		}
	} while (got != 0);
	ret_data->data = ret_data->owned = take_pointer(data);
	ret_data->size = size;
	return CLI_GO_ON;
}

int request_data_read(const char *argument, struct request_data *ret_data)
{
	cleanup_close int fd = -1;

	*ret_data = (struct request_data){ .data = "" };
	if (!argument)
		return CLI_GO_ON;
	if (!strcmp(argument, "-") || !strcmp(argument, "@-"))
		return request_read_all(STDIN_FILENO, "standard input",
					ret_data);
	if (argument[0] != '@') {
		ret_data->data = argument;
		ret_data->size = strlen(argument);
		return CLI_GO_ON;
	}
	fd = open(argument + 1, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cannot_read(argument + 1, errno);
	return request_read_all(fd, argument + 1, ret_data);
}

void request_data_done(struct request_data *data)
{
	free(data->owned);
}
