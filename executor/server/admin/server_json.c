/* server_json.c - see server_json.h. */
#include "executor/server/admin/server_json.h"

#include <stdio.h>
#include <unistd.h>

#include "base/json_output.h"
#include "executor/server/metrics.h"

#define CHECK_NAME_MAX 128

static const char *server_state_name(enum server_state state)
{
	static const char *const names[] = {
		[SERVER_STARTING] = "starting",
		[SERVER_SERVING] = "serving",
		[SERVER_DRAINING] = "draining",
	};

	return names[state];
}

static struct json_output
counts_object(const struct function_counts_view *counts)
{
	struct json_output object = json_output_make();

	json_put_number(&object, "total", counts->total);
	json_put_number(&object, "active", counts->active);
	json_put_number(&object, "pending", counts->pending);
	json_put_number(&object, "failed", counts->failed);
	json_put_number(&object, "outdated", counts->outdated);
	return object;
}

static struct json_output catalog_object(const struct server_view *view)
{
	const struct metrics_server *metrics = view->metrics;
	struct json_output object = json_output_make();

	json_put_text(&object, "path", view->catalog_path);
	json_put_text(&object, "sha256", view->catalog_sha256);
	json_put_number(&object, "generation", view->generation);
	json_put_reason(&object, "last_reload_error", view->last_reload_error);
	json_put_counter(&object, "reloads", &metrics->reloads_total);
	json_put_counter(&object, "reload_failures",
			 &metrics->reload_failures_total);
	return object;
}

static struct json_output connections_object(const struct server_view *view)
{
	const struct metrics_server *metrics = view->metrics;
	struct json_output object = json_output_make();

	json_put_counter(&object, "open", &metrics->connections);
	json_put_number(&object, "max", view->max_connections);
	json_put_counter(&object, "total", &metrics->connections_total);
	json_put_counter(&object, "refused", &metrics->connections_refused);
	return object;
}

static struct json_output requests_object(const struct metrics_server *metrics)
{
	struct json_output object = json_output_make();

	json_put_counter(&object, "total", &metrics->requests_total);
	json_put_counter(&object, "bad", &metrics->bad_requests_total);
	return object;
}

static struct json_output buffered_object(const struct server_view *view)
{
	struct json_output object = json_output_make();

	json_put_number(&object, "bytes", view->buffered);
	json_put_number(&object, "max", view->max_buffered);
	return object;
}

static struct json_output memory_object(const struct server_view *view)
{
	struct json_output object = json_output_make();

	json_put_number(&object, "bytes", view->memory);
	json_put_number(&object, "max", view->max_memory);
	json_put_reason(&object, "pressure", view->pressure);
	return object;
}

static struct json_output events_object(const struct server_view *view)
{
	struct json_output object = json_output_make();

	json_put_number(&object, "queued", view->events_queued);
	json_put_number(&object, "max", view->events_max);
	json_put_number(&object, "oldest_ms", view->events_oldest_ms);
	return object;
}

static struct json_output log_object(const struct server_view *view)
{
	struct json_output object = json_output_make();

	json_put_number(&object, "dropped", view->log_dropped);
	return object;
}

void admin_write_status(const struct server_view *view, struct buffer *out)
{
	struct function_counts_view counts;
	struct json_output object = json_output_make();

	json_put_text(&object, "version", thaw_version());
	json_put_number(&object, "pid", (uint64_t)getpid());
	json_put_text(&object, "state", server_state_name(view->state));
	json_put_time(&object, "start_time", view->start_unix_ms);
	json_put_number(&object, "uptime_ms", view->uptime_ms);
	json_put_text(&object, "io", view->io);
	json_put_number(&object, "workers", view->workers);
	json_put_number(&object, "offload_threads", view->offload_threads);
	json_put_number(&object, "offload_busy", view->offload_busy);
	json_put_object(&object, "catalog", catalog_object(view));
	json_put_object(&object, "connections", connections_object(view));
	json_put_object(&object, "requests", requests_object(view->metrics));
	json_put_object(&object, "buffered", buffered_object(view));
	json_put_object(&object, "memory", memory_object(view));
	json_put_object(&object, "events", events_object(view));
	json_put_object(&object, "log", log_object(view));
	readiness_count(view->functions, view->count, &counts);
	json_put_object(&object, "functions", counts_object(&counts));
	json_output_finish(object, out);
	buffer_text(out, "\n");
}

/* @reason is NULL if all is well. */
static void write_check(const char *name, const char *reason, bool is_critical,
			struct buffer *out)
{
	struct json_output object = json_output_make();

	json_put_text(&object, "name", name);
	json_put_boolean(&object, "ok", !reason);
	if (is_critical)
		json_put_boolean(&object, "critical", true);
	if (reason)
		json_put_text(&object, "reason", reason);
	json_output_finish(object, out);
}

bool admin_write_ready(const struct readiness *readiness, bool is_open,
		       struct buffer *out)
{
	const struct function_counts_view *counts = &readiness->functions;
	const bool is_ready = is_open && !counts->critical_missing;

	buffer_printf(out, "{\"ready\":%s,\"functions\":",
		      is_ready ? "true" : "false");
	json_output_finish(counts_object(counts), out);
	buffer_text(out, ",\"checks\":[");
	for (size_t i = 0; i < readiness->count; i++) {
		const struct readiness_check *check = &readiness->checks[i];
		char name[CHECK_NAME_MAX];

		snprintf(name, sizeof(name), "function %s", check->name);
		write_check(name, check->reason, check->is_critical, out);
		buffer_text(out, ",");
	}
	write_check("draining", is_open ? NULL : "is draining", false, out);
	buffer_text(out, "]}\n");
	return is_ready;
}
