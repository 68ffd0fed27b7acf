/*
 * admin_json.c - the state of the server as the admin API's JSON. See admin.h;
 * admin_function_json.c has that of the functions.
 */
#include <stdio.h>
#include <unistd.h>

#include "executor/json_output.h"
#include "executor/server/admin.h"

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

static struct json_output count_functions(const struct server_view *view)
{
	struct json_output object = json_output_make();
	uint64_t states[] = {
		[FUNCTION_PENDING] = 0,
		[FUNCTION_ACTIVE] = 0,
		[FUNCTION_FAILED] = 0,
	};

	for (size_t i = 0; i < view->count; i++)
		states[view->functions[i].state]++;
	json_put_number(&object, "total", view->count);
	json_put_number(&object, "active", states[FUNCTION_ACTIVE]);
	json_put_number(&object, "pending", states[FUNCTION_PENDING]);
	json_put_number(&object, "failed", states[FUNCTION_FAILED]);
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
	json_put_object(&object, "events", events_object(view));
	json_put_object(&object, "log", log_object(view));
	json_put_object(&object, "functions", count_functions(view));
	json_output_finish(object, out);
	buffer_text(out, "\n");
}

/* @reason: NULL if all is well. */
static void write_check(const char *name, const char *reason,
			struct buffer *out)
{
	struct json_output object = json_output_make();

	json_put_text(&object, "name", name);
	json_put_boolean(&object, "ok", !reason);
	if (reason)
		json_put_text(&object, "reason", reason);
	json_output_finish(object, out);
}

static const char *why_not_ready(const struct function_view *function)
{
	if (function->state == FUNCTION_ACTIVE)
		return NULL;
	if (function->state == FUNCTION_PENDING)
		return "is being booted";
	return function->reason;
}

static bool is_ready(const struct server_view *view)
{
	for (size_t i = 0; i < view->count; i++)
		if (view->functions[i].state != FUNCTION_ACTIVE)
			return false;
	return view->state != SERVER_DRAINING;
}

bool admin_write_ready(const struct server_view *view, struct buffer *out)
{
	bool ready = is_ready(view);

	buffer_printf(out, "{\"ready\":%s,\"checks\":[",
		      ready ? "true" : "false");
	for (size_t i = 0; i < view->count && !out->failed; i++) {
		const struct function_view *function = &view->functions[i];
		char name[CHECK_NAME_MAX];

		snprintf(name, sizeof(name), "function %s",
			 function->spec->name);
		write_check(name, why_not_ready(function), out);
		buffer_text(out, ",");
	}
	write_check("draining",
		    view->state == SERVER_DRAINING ? "is draining" : NULL, out);
	buffer_text(out, "]}\n");
	return ready;
}
