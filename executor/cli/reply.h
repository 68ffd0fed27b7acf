/* reply.h - prints a reply, and what is known about it. */
#ifndef EXECUTOR_CLI_REPLY_H
#define EXECUTOR_CLI_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "executor/libthaw.h"

/* The end of an invocation, wherever it ran. Everything is borrowed. */
struct answer {
	enum thaw_result result;
	const void *data;
	size_t size;
	const char *content_type, *id;
	const char *error_type, *error_message; /* if the result is not OK */

	/* Of a Linux program that has ended in this process: */
	bool has_exit_status;
	int exit_status; /* 128 and the signal, if one has ended it */

	/* The function's HTTP status and headers, as in struct thaw_reply. */
	unsigned status;
	const char *headers;
	size_t headers_size;

	uint64_t queue_ns, run_ns;
	unsigned exits;
	bool has_exits;		   /* a server does not tell exits */
	const char *server_timing; /* of HTTP: as the server wrote it */

	uint64_t took_ns; /* the time that --repeat counts */
};

/*
 * Writes the reply to @path (NULL or "-": standard output), after its metadata
 * if @include. Without a reply it writes only metadata, and touches no file.
 * With NULL, refuses to write to a terminal what is not text. Returns the exit
 * code, after a message if it is not CLI_OK.
 */
int reply_write(const struct answer *reply, const char *path, bool include);

/*
 * Prints the result, the HTTP status if the function has set one, content type,
 * size, headers, id, and the known times and exits, one per line.
 */
void reply_print_metadata(const struct answer *reply, FILE *file);

#endif
