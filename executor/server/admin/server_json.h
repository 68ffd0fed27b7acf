/*
 * server_json.h - the server as the admin API's JSON: /v1/status, /readyz. Text
 * out of a view; no I/O. docs/protocol.md describes it.
 */
#ifndef EXECUTOR_SERVER_ADMIN_SERVER_JSON_H
#define EXECUTOR_SERVER_ADMIN_SERVER_JSON_H

#include <stdbool.h>

#include "base/buffer.h"
#include "executor/protocol/view.h"
#include "executor/server/readiness.h"

/* Appends JSON to @out. */
void admin_write_status(const struct server_view *view, struct buffer *out);

/*
 * Appends {"ready":true|false,"functions":{...},"checks":[{"name":"...",
 * "ok":...,"reason":"..."}]}. The server is ready if it @is_open, that is, not
 * draining, and no critical function is missing. Returns whether it is.
 */
bool admin_write_ready(const struct readiness *readiness, bool is_open,
		       struct buffer *out);

#endif
