/*
 * admin.h - what the admin listener says: /v1/status, /v1/functions[/NAME],
 * /readyz, /metrics. Text out of a view; no I/O. Documented in
 * docs/protocol.md.
 */
#ifndef EXECUTOR_SERVER_ADMIN_ADMIN_H
#define EXECUTOR_SERVER_ADMIN_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "executor/protocol/view.h"
#include "executor/server/readiness.h"

/* JSON texts, appended to @out. */
void admin_write_status(const struct server_view *view, struct buffer *out);
void admin_write_functions(const struct server_view *view, struct buffer *out);
void admin_write_function(const struct function_view *function,
			  struct buffer *out);

/*
 * {"ready":true|false,"functions":{...},"checks":[{"name":"...","ok":...,
 * "reason":"..."}]}: not draining, and no critical function is missing. Returns
 * whether it is ready.
 */
bool admin_write_ready(const struct readiness *readiness, bool is_open,
		       struct buffer *out);

/* Prometheus's text format 0.0.4, of all functions and the process. */
#define ADMIN_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
void admin_write_metrics(const struct server_view *view, struct buffer *out);

#endif
