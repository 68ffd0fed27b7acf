/* request_data.h - reads what -d says: text, a file, or standard input. */
#ifndef EXECUTOR_CLI_REQUEST_DATA_H
#define EXECUTOR_CLI_REQUEST_DATA_H

#include <stddef.h>

#include "executor/limits.h"

/* No function accepts more, so no more is read. */
#define REQUEST_DATA_MAX LIMIT_REQUEST_MAX

struct request_data {
	const void *data;
	size_t size;
	void *owned; /* what to free(), or NULL */
};

/*
 * Reads @argument: "@FILE" is the file's contents, "-" and "@-" are standard
 * input, NULL is no data, and anything else is the data itself. Returns
 * CLI_GO_ON and data that request_data_done() frees, or an exit code after a
 * message.
 */
int request_data_read(const char *argument, struct request_data *ret_data);

void request_data_done(struct request_data *data);

#endif
