/* reply.h - prints a reply, and what is known about it. */
#ifndef EXECUTOR_CLI_REPLY_H
#define EXECUTOR_CLI_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "executor/libthaw.h"

/* How an invocation ended, wherever it ran. All is borrowed. */
struct answer {
	enum thaw_result result;
	const void *data;
	size_t size;
	const char *content_type, *id;
	const char *error_type, *error_message; /* if the result is not OK */

	/* What the function answers in HTTP, as in struct thaw_reply. */
	unsigned status;
	const char *headers;
	size_t headers_size;

	uint64_t queue_ns, run_ns;
	unsigned exits;
	bool has_exits;		   /* a server does not say */
	const char *server_timing; /* of HTTP: as the server wrote it */

	uint64_t took_ns; /* what --repeat counts */
};

/*
 * Writes the reply to @path (NULL or "-": standard output), after its metadata
 * if @include. Without a reply there is only the metadata, and no file is
 * touched. NULL refuses to send a terminal what is not text. Returns the exit
 * code, after a message if it is not CLI_OK.
 */
int reply_write(const struct answer *reply, const char *path, bool include);

/*
 * Prints result, HTTP's status if the function has set one, content type, size, its
 * headers, id and what is known of times and exits, one a line.
 */
void reply_print_metadata(const struct answer *reply, FILE *file);

#endif
