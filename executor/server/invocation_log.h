/*
 * invocation_log.h - what invocations write into the server's log: the lines of
 * their functions, and how those ended that failed. The lines of each function are
 * limited (function_stats.h).
 */
#ifndef EXECUTOR_SERVER_INVOCATION_LOG_H
#define EXECUTOR_SERVER_INVOCATION_LOG_H

#include <stddef.h>

#include "executor/libthaw.h"

struct invocation;

/* Lines that functions log at init, of all functions together and at once. */
#define INVOCATION_LOG_INIT_BURST 10000

/* A thaw_log_fn; @cookie is the struct invocation. Any thread. */
void invocation_log_line(void *cookie, const char *function,
			 enum thaw_level level, const char *text, size_t size);

/* It has run, or failed: writes a line if that is worth one. Any thread. */
void invocation_log_end(const struct invocation *invocation);

/* A thaw_log_fn for what a function logs while it is deployed; no cookie. */
void invocation_log_init_line(void *cookie, const char *function,
			      enum thaw_level level, const char *text,
			      size_t size);

#endif
