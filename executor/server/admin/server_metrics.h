/*
 * server_metrics.h - the answer to /metrics. Reads /proc, so the calling thread
 * may wait.
 */
#ifndef EXECUTOR_SERVER_ADMIN_SERVER_METRICS_H
#define EXECUTOR_SERVER_ADMIN_SERVER_METRICS_H

#include "base/buffer.h"
#include "executor/protocol/view.h"

/*
 * Appends Prometheus's text format 0.0.4: the server, all functions, and the
 * process.
 */
#define ADMIN_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
void admin_write_metrics(const struct server_view *view, struct buffer *out);

#endif
