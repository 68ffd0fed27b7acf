/* function_json.c - see function_json.h. */
#include "executor/server/admin/function_json.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/json_output.h"
#include "executor/catalog_functions_json.h"
#include "executor/catalog_json.h"
#include "executor/server/metrics.h"

static const char *function_state_name(enum function_state state)
{
	static const char *const names[] = {
		[FUNCTION_PENDING] = "pending",
		[FUNCTION_ACTIVE] = "active",
		[FUNCTION_FAILED] = "failed",
	};

	return names[state];
}

/* Returns NULL if there is none. */
static const char *update_name(enum function_update update)
{
	static const char *const names[] = {
		[UPDATE_PENDING] = "pending",
		[UPDATE_FAILED] = "failed",
	};

	return names[update];
}

static struct json_output
admin_concurrency_object(const struct catalog_concurrency *c)
{
	struct json_output object = json_output_make();

	json_put_number(&object, "max", c->max);
	json_put_number(&object, "warm", c->warm);
	json_put_number(&object, "queue", c->queue);
	json_put_number(&object, "queue_timeout_ms",
			c->queue_timeout_ns / NS_PER_MS);
	return object;
}

static struct json_output vms_object(const struct function_view *function)
{
	struct json_output object = json_output_make();

	json_put_number(&object, "idle", function->vms_idle);
	json_put_number(&object, "busy", function->vms_busy);
	return object;
}

static struct json_output
outcomes_object(const struct metrics_function *metrics)
{
	struct json_output object = json_output_make();

	for (enum metrics_outcome i = 0; i < METRICS_OUTCOMES; i++)
		json_put_counter(&object, metrics_outcome_name(i),
				 &metrics->outcomes[i]);
	return object;
}

static struct json_output
histogram_object(const struct metrics_histogram *histogram)
{
	struct json_output object = json_output_make();
	json_t *buckets = json_array();

	for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
		uint64_t count = metrics_get(&histogram->buckets[i]);

		if (json_array_append_new(buckets,
					  json_integer((json_int_t)count)))
			object.failed = true;
	}
	json_put(&object, "buckets", buckets);
	json_put_number(&object, "sum_us",
			metrics_get(&histogram->sum_ns) / NS_PER_US);
	return object;
}

static struct json_output phases_object(const struct metrics_function *metrics)
{
	struct json_output object = json_output_make();

	for (enum metrics_phase i = 0; i < METRICS_PHASES; i++)
		json_put_object(&object, metrics_phase_name(i),
				histogram_object(&metrics->phases[i]));
	return object;
}

static struct json_output snapshot_object(const struct function_view *function)
{
	struct json_output object = json_output_make();

	json_put_number(&object, "bytes", function->snapshot_bytes);
	json_put_counter(&object, "boots", &function->metrics->boots);
	json_put_counter(&object, "boot_failures",
			 &function->metrics->boot_failures);
	json_put_boolean(&object, "loaded", function->is_loaded);
	json_put_boolean(&object, "stored", function->is_stored);
	json_put_text(&object, "not_stored",
		      function->not_stored ? function->not_stored : "");
	return object;
}

static struct json_output
function_log_object(const struct metrics_function *metrics)
{
	struct json_output object = json_output_make();

	json_put_counter(&object, "lines", &metrics->log_lines);
	json_put_counter(&object, "dropped", &metrics->log_dropped);
	return object;
}

static struct json_output
function_events_object(const struct metrics_function *metrics)
{
	struct json_output object = json_output_make();

	json_put_counter(&object, "pending", &metrics->events_pending);
	json_put_counter(&object, "accepted", &metrics->events_accepted);
	json_put_counter(&object, "done", &metrics->events_done);
	json_put_counter(&object, "retried", &metrics->events_retried);
	json_put_counter(&object, "dropped", &metrics->events_dropped);
	return object;
}

static struct json_output dispatched_object(const struct thaw_stats *stats)
{
	struct json_output object = json_output_make();

	json_put_number(&object, "polled", stats->polled);
	json_put_number(&object, "exit", stats->exited);
	json_put_number(&object, "no_core", stats->no_core);
	return object;
}

/* Puts what the catalog says. */
static void put_spec(struct json_output *object,
		     const struct catalog_function *spec)
{
	json_put_number(object, "memory_bytes", spec->memory);
	json_put_number(object, "timeout_ms", spec->timeout_ns / NS_PER_MS);
	json_put_number(object, "max_request_bytes", spec->max_request);
	json_put_number(object, "max_reply_bytes", spec->max_reply);
	json_put_text(object, "entry", spec->entry);
	json_put_text(object, "kind", "native");
	json_put_text(object, "dispatch",
		      catalog_dispatch_name(spec->dispatch));
	json_put_text(object, "isolation",
		      catalog_isolation_name(spec->isolation));
}

/* Makes the catalog's entry, without values that may be secrets. */
static json_t *make_catalog(const struct catalog_function *spec)
{
	json_t *json = catalog_function_json(spec);

	json_object_del(json, "environment");
	json_object_del(json_object_get(json, "host"), "config");
	json_object_del(json_object_get(json, "init"), "text");
	return json;
}

/* Puts the state, without the counts. */
static void put_state(struct json_output *object,
		      const struct function_view *function)
{
	bool is_active = function->state == FUNCTION_ACTIVE;

	json_put_text(object, "name", function->spec->name);
	json_put_text(object, "description", function->spec->description);
	json_put_text(object, "state", function_state_name(function->state));
	json_put_text(object, "update", update_name(function->update));
	json_put_reason(object, "reason", function->reason);
	json_put_text(object, "image", function->spec->image);
	json_put_text(object, "image_sha256",
		      is_active ? function->image_sha256 : NULL);
	json_put_number(object, "image_bytes", function->image_bytes);
	if (is_active)
		json_put_time(object, "deployed_at",
			      function->deployed_unix_ms);
	else
		json_put_text(object, "deployed_at", NULL);
	json_put_number(object, "boot_us", function->boot_ns / NS_PER_US);
}

static void put_gate(struct json_output *object, const struct thaw_stats *stats)
{
	/* nothing is known of a function that is not deployed */
	json_put_text(object, "gate", stats->gate ? stats->gate : "none");
	json_put_boolean(object, "polled", stats->is_polled);
	json_put_text(object, "no_gate", stats->no_gate ? stats->no_gate : "");
}

static void put_counts(struct json_output *object,
		       const struct function_view *function)
{
	const struct metrics_function *metrics = function->metrics;

	json_put_object(object, "vms", vms_object(function));
	json_put_number(object, "queued", function->queued);
	json_put_counter(object, "inflight", &metrics->inflight);
	json_put_object(object, "invocations", outcomes_object(metrics));
	json_put_object(object, "duration",
			histogram_object(&metrics->duration));
	json_put_object(object, "phases", phases_object(metrics));
	json_put_object(object, "snapshot", snapshot_object(function));
	json_put_counter(object, "restores", &metrics->restores);
	json_put_counter(object, "copied_bytes", &metrics->copied_bytes);
	json_put_counter(object, "restores_offloaded",
			 &metrics->restores_offloaded);
	json_put_counter(object, "queue_turns", &metrics->turns);
	json_put_counter(object, "thread_waits", &metrics->thread_waits);
	json_put_object(object, "log", function_log_object(metrics));
	json_put_object(object, "events", function_events_object(metrics));
	json_put_object(object, "dispatched",
			dispatched_object(&function->stats));
}

static void write_function_json(const struct function_view *function,
				struct buffer *out)
{
	const struct catalog_function *spec = function->spec;
	struct json_output object = json_output_make();

	put_state(&object, function);
	json_put(&object, "catalog", make_catalog(spec));
	put_spec(&object, spec);
	put_gate(&object, &function->stats);
	json_put(&object, "functions",
		 function->functions ?
			 catalog_functions_json(function->functions) :
			 json_null());
	json_put(&object, "imports",
		 function->imports ? catalog_imports_json(function->imports) :
				     json_null());
	json_put(&object, "labels", json_make_pairs(spec->labels));
	json_put_object(&object, "concurrency",
			admin_concurrency_object(&spec->concurrency));
	put_counts(&object, function);
	json_output_finish(object, out);
}

void admin_write_function(const struct function_view *function,
			  struct buffer *out)
{
	write_function_json(function, out);
	buffer_text(out, "\n");
}

/* Makes one function at a time: there may be many, and their JSON is large. */
void admin_write_functions(const struct server_view *view, struct buffer *out)
{
	buffer_text(out, "{\"bucket_bounds_us\":[");
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		buffer_text(out, i ? "," : "");
		buffer_number(out, metrics_bounds_us[i]);
	}
	buffer_text(out, "],\"functions\":[");
	for (size_t i = 0; i < view->count && !out->failed; i++) {
		buffer_text(out, i ? "," : "");
		write_function_json(&view->functions[i], out);
	}
	buffer_text(out, "]}\n");
}
