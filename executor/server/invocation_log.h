/*
 * invocation_log.h - what invocations have to say in the server's log: the
 * functions' lines, and how those ended that failed. Each function gets so many
 * lines in a second.
 */
#ifndef EXECUTOR_SERVER_INVOCATION_LOG_H
#define EXECUTOR_SERVER_INVOCATION_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/libthaw.h"
#include "executor/server/deployment.h"
#include "executor/server/invocation.h"
#include "executor/server/log/log.h"

/*
 * Lines of one function, and of one kind (enum deployment_log), that get into the
 * log in a second, and at once.
 */
#define INVOCATION_LOG_PER_SECOND 100
#define INVOCATION_LOG_BURST 1000
/* The same of all functions together, and of what they log at init. */
#define INVOCATION_LOG_ALL_PER_SECOND 1000
#define INVOCATION_LOG_ALL_BURST 10000
#define INVOCATION_LOG_INIT_BURST 10000

/* What is kept of an invocation's lines for its caller, in bytes. */
#define INVOCATION_LOG_KEPT (16 * 1024)

/* The limit of @log's lines of @function, which is borrowed. */
void invocation_log_limit(const char *function, enum deployment_log log,
			  struct log_limit *ret_limit);

/* Whether a line of @log is to be written now; counts it, or its loss. */
bool invocation_log_may(struct deployment *deployment, enum deployment_log log,
			enum thaw_level level);

/* A thaw_log_fn; @cookie is the struct invocation. Any thread. */
void invocation_log_line(void *cookie, const char *function,
			 enum thaw_level level, const char *text, size_t size);

/* It has run, or failed: a line if it is worth one. Any thread. */
void invocation_log_end(const struct invocation *invocation);

/* The same for what a function logs while it is deployed; no cookie. */
void invocation_log_init_line(void *cookie, const char *function,
			      enum thaw_level level, const char *text,
			      size_t size);

#endif
