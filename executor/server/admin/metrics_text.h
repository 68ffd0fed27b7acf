/*
 * metrics_text.h - what the files of admin.h have among themselves.
 */
#ifndef EXECUTOR_SERVER_ADMIN_METRICS_TEXT_H
#define EXECUTOR_SERVER_ADMIN_METRICS_TEXT_H

#include "base/buffer.h"
#include "executor/protocol/view.h"

/*
 * The families with a label "function"; none if there is no function. Family by
 * family, and in each one all functions, as the format asks for.
 */
void admin_write_function_metrics(const struct server_view *view,
				  struct buffer *out);

#endif
