/*
 * function_json.h - functions as the admin API's JSON: /v1/functions[/NAME].
 * Text out of a view; no I/O. docs/protocol.md describes it.
 */
#ifndef EXECUTOR_SERVER_ADMIN_FUNCTION_JSON_H
#define EXECUTOR_SERVER_ADMIN_FUNCTION_JSON_H

#include "base/buffer.h"
#include "executor/protocol/view.h"

/* Append JSON to @out. */
void admin_write_functions(const struct server_view *view, struct buffer *out);
void admin_write_function(const struct function_view *function,
			  struct buffer *out);

#endif
