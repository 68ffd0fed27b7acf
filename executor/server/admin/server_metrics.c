/* server_metrics.c - metrics of the server and the process. */
#include "executor/server/admin/server_metrics.h"

#include <stddef.h>

#include "executor/server/admin/function_metrics.h"
#include "executor/server/admin/process_stats.h"
#include "executor/server/admin/prometheus.h"
#include "executor/server/metrics.h"
#include "executor/server/readiness.h"

/* A family of one counter of struct metrics_server. */
struct server_family {
	const char *name, *type, *help;
	size_t offset;
};

#define COUNTER(field) offsetof(struct metrics_server, field)

static const struct server_family server_families[] = {
	{ "thaw_connections", "gauge", "Connections that are open.",
	  COUNTER(connections) },
	{ "thaw_connections_total", "counter", "Connections accepted.",
	  COUNTER(connections_total) },
	{ "thaw_connections_refused_total", "counter",
	  "Connections closed at once, as there were too many.",
	  COUNTER(connections_refused) },
	{ "thaw_requests_total", "counter", "Requests of all kinds.",
	  COUNTER(requests_total) },
	{ "thaw_bad_requests_total", "counter",
	  "Requests that could not be understood.",
	  COUNTER(bad_requests_total) },
	{ "thaw_accept_errors_total", "counter",
	  "Connections that could not be accepted.",
	  COUNTER(accept_errors_total) },
	{ "thaw_offloaded_total", "counter",
	  "Runs over their inline budget, and large bodies to check or copy, moved to "
	  "an offload thread.",
	  COUNTER(offloaded_total) },
	{ "thaw_vms_shrunk_total", "counter",
	  "Vms that were clean and waiting, and gave back their own memory.",
	  COUNTER(vms_shrunk_total) },
	{ "thaw_stolen_total", "counter", "Runs given to an idle worker.",
	  COUNTER(stolen_total) },
	{ "thaw_config_last_reload_successful", "gauge",
	  "Whether the last reload of the catalog was accepted.",
	  COUNTER(last_reload_ok) },
	{ "thaw_config_last_reload_success_timestamp_seconds", "gauge",
	  "When a catalog was accepted last.", COUNTER(last_reload_unix_s) },
	{ "thaw_config_reloads_total", "counter",
	  "Reloads of the catalog that were accepted.",
	  COUNTER(reloads_total) },
	{ "thaw_config_reload_failures_total", "counter",
	  "Reloads of the catalog that were refused.",
	  COUNTER(reload_failures_total) },
	{ NULL, NULL, NULL, 0 },
};

static void write_build(struct buffer *out)
{
	const char *name = "thaw_build_info";

	prometheus_head(out, name, "gauge", "1, labelled with the version.");
	buffer_text(out, name);
	buffer_text(out, "{");
	prometheus_label(out, "version", thaw_version());
	buffer_text(out, "} 1\n");
}

static void write_count(struct buffer *out, const char *state, unsigned count)
{
	buffer_printf(out, "thaw_functions{state=\"%s\"} %u\n", state, count);
}

static void write_functions(const struct server_view *view, struct buffer *out)
{
	struct function_counts_view counts;

	readiness_count(view->functions, view->count, &counts);
	prometheus_head(out, "thaw_functions", "gauge",
			"Functions, by state; outdated ones are active, and "
			"their next version is not.");
	write_count(out, "active", counts.active);
	write_count(out, "pending", counts.pending);
	write_count(out, "failed", counts.failed);
	write_count(out, "outdated", counts.outdated);
}

static void write_server(const struct server_view *view, struct buffer *out)
{
	const char *metrics = (const char *)view->metrics;

	for (const struct server_family *family = server_families; family->name;
	     family++)
		prometheus_number(
			out, family->name, family->type, family->help,
			metrics_get((const _Atomic uint64_t *)(metrics +
							       family->offset)),
			0);
	prometheus_number(out, "thaw_log_dropped_total", "counter",
			  "Lines of the log that were lost.", view->log_dropped,
			  0);
	prometheus_number(out, "thaw_connections_max", "gauge",
			  "Connections that may be open.",
			  view->max_connections, 0);
	prometheus_number(out, "thaw_buffered_bytes", "gauge",
			  "Memory of requests and replies.", view->buffered, 0);
	prometheus_number(out, "thaw_buffered_max_bytes", "gauge",
			  "Beyond it new requests are refused.",
			  view->max_buffered, 0);
	prometheus_number(out, "thaw_memory_bytes", "gauge",
			  "Memory that vms and snapshots may use.",
			  view->memory, 0);
	prometheus_number(out, "thaw_memory_max_bytes", "gauge",
			  "Beyond it idle vms are freed and requests refused.",
			  view->max_memory, 0);
	prometheus_number(out, "thaw_async_oldest_age_seconds", "gauge",
			  "Age of the oldest Event invocation in the queue.",
			  view->events_oldest_ms, PROMETHEUS_MS);
}

/* Writes what every program reports, under the names that client libraries use. */
static void write_process(const struct server_view *view, struct buffer *out)
{
	struct process_stats stats;

	process_stats_read(&stats);
	prometheus_number(out, "process_cpu_seconds_total", "counter",
			  "CPU time, user and system.", stats.cpu_ns,
			  PROMETHEUS_NS);
	prometheus_number(out, "process_start_time_seconds", "gauge",
			  "When the server started.", view->start_unix_ms,
			  PROMETHEUS_MS);
	prometheus_number(out, "process_max_fds", "gauge",
			  "File descriptors that may be open.", stats.max_fds,
			  0);
	if (stats.has_open_fds)
		prometheus_number(out, "process_open_fds", "gauge",
				  "File descriptors that are open.",
				  stats.open_fds, 0);
	if (stats.has_resident)
		prometheus_number(out, "process_resident_memory_bytes", "gauge",
				  "Memory that is in use.",
				  stats.resident_bytes, 0);
}

static void write_trims(const struct metrics_server *metrics,
			struct buffer *out)
{
	const char *name = "thaw_vms_trimmed_total";

	prometheus_head(out, name, "counter",
			"Vms freed that were clean and waiting, by why.");
	for (enum metrics_trim i = 0; i < METRICS_TRIMS; i++) {
		buffer_text(out, name);
		buffer_text(out, "{");
		prometheus_label(out, "reason", metrics_trim_name(i));
		buffer_text(out, "} ");
		buffer_number(out, metrics_get(&metrics->vms_trimmed[i]));
		buffer_text(out, "\n");
	}
}

void admin_write_metrics(const struct server_view *view, struct buffer *out)
{
	write_build(out);
	write_server(view, out);
	write_trims(view->metrics, out);
	write_functions(view, out);
	admin_write_function_metrics(view, out);
	write_process(view, out);
}
