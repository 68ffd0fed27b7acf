/* guest_lines.h - what functions log, on its way to the server's log. */
#ifndef EXECUTOR_SERVER_GUEST_LINES_H
#define EXECUTOR_SERVER_GUEST_LINES_H

#include <stddef.h>

#include "executor/libthaw.h"

/* Lines of one function that get into the log in a second, and at once. */
#define GUEST_LINES_PER_SECOND 100
#define GUEST_LINES_BURST 1000

/* What is kept of an invocation's lines for its caller, in bytes. */
#define GUEST_LINES_KEPT (16 * 1024)

/* A thaw_log_fn; @cookie is the struct invocation. Any thread. */
void guest_lines_take(void *cookie, const char *function,
		      enum thaw_log_level level, const char *text, size_t size);

/* The same for what a function logs while it is deployed. */
void guest_lines_take_init(void *cookie, const char *function,
			   enum thaw_log_level level, const char *text,
			   size_t size);

#endif
