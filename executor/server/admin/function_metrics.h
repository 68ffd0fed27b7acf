/* function_metrics.h - the functions' part of /metrics. No I/O. */
#ifndef EXECUTOR_SERVER_ADMIN_FUNCTION_METRICS_H
#define EXECUTOR_SERVER_ADMIN_FUNCTION_METRICS_H

#include "base/buffer.h"
#include "executor/protocol/view.h"

/*
 * Appends the families with the label "function"; none if there is no function.
 * The format asks for them family by family, each with all functions.
 */
void admin_write_function_metrics(const struct server_view *view,
				  struct buffer *out);

#endif
