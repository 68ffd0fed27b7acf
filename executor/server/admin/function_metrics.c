/* function_metrics.c - see function_metrics.h. */
#include "executor/server/admin/function_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/limits.h"
#include "executor/server/admin/prometheus.h"
#include "executor/server/metrics.h"

/* A label besides the function. */
struct label {
	const char *name, *value;
};

/* Writes NAME{function="...",LABEL="..." without the closing brace. */
static void write_function_labels(struct buffer *out, const char *name,
				  const struct function_view *function,
				  const struct label *label)
{
	buffer_text(out, name);
	buffer_text(out, "{");
	prometheus_label(out, "function", function->spec->name);
	if (label) {
		buffer_text(out, ",");
		prometheus_label(out, label->name, label->value);
	}
}

static void write_sample(struct buffer *out, const char *name,
			 const struct function_view *function,
			 const struct label *label, uint64_t value)
{
	write_function_labels(out, name, function, label);
	buffer_text(out, "} ");
	buffer_number(out, value);
	buffer_text(out, "\n");
}

static void write_bucket(struct buffer *out, const char *name,
			 const struct function_view *function,
			 const struct label *label, size_t index,
			 uint64_t count)
{
	write_function_labels(out, name, function, label);
	buffer_text(out, ",le=\"");
	if (index < METRICS_BUCKETS)
		prometheus_decimal(out, metrics_bounds_us[index],
				   PROMETHEUS_US);
	else
		buffer_text(out, "+Inf");
	buffer_text(out, "\"} ");
	buffer_number(out, count);
	buffer_text(out, "\n");
}

/* The names of a histogram's samples. */
struct histogram_names {
	const char *family, *bucket, *sum, *count;
};
#define HISTOGRAM(name)                                          \
	{                                                        \
		name, name "_bucket", name "_sum", name "_count" \
	}

/*
 * Workers go on counting meanwhile. Each bucket is read once, and the count is
 * their sum.
 */
static void write_histogram(struct buffer *out,
			    const struct histogram_names *names,
			    const struct function_view *function,
			    const struct label *label,
			    const struct metrics_histogram *histogram)
{
	uint64_t count = 0;

	for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
		count += metrics_get(&histogram->buckets[i]);
		write_bucket(out, names->bucket, function, label, i, count);
	}
	write_function_labels(out, names->sum, function, label);
	buffer_text(out, "} ");
	prometheus_decimal(out, metrics_get(&histogram->sum_ns), PROMETHEUS_NS);
	buffer_text(out, "\n");
	write_sample(out, names->count, function, label, count);
}

/* A family of one number for each function. */
struct function_family {
	const char *name, *type, *help;
	uint64_t (*get)(const struct function_view *function);
};

#define FUNCTION_VALUE(name, value)                               \
	static uint64_t get_##name(const struct function_view *f) \
	{                                                         \
		return value;                                     \
	}

FUNCTION_VALUE(warm, metrics_get(&f->metrics->starts[METRICS_WARM]))
FUNCTION_VALUE(from_snapshot,
	       metrics_get(&f->metrics->starts[METRICS_SNAPSHOT]))
FUNCTION_VALUE(vms_idle, f->vms_idle)
FUNCTION_VALUE(vms_busy, f->vms_busy)
FUNCTION_VALUE(polled, f->stats.polled)
FUNCTION_VALUE(exited, f->stats.exited)
FUNCTION_VALUE(exits, metrics_get(&f->metrics->exits))
FUNCTION_VALUE(restores, metrics_get(&f->metrics->restores))
FUNCTION_VALUE(copied_bytes, metrics_get(&f->metrics->copied_bytes))
FUNCTION_VALUE(turns, metrics_get(&f->metrics->turns))
FUNCTION_VALUE(thread_waits, metrics_get(&f->metrics->thread_waits))
FUNCTION_VALUE(restores_offloaded, metrics_get(&f->metrics->restores_offloaded))
FUNCTION_VALUE(boots, metrics_get(&f->metrics->boots))
FUNCTION_VALUE(boot_failures, metrics_get(&f->metrics->boot_failures))
FUNCTION_VALUE(snapshot_bytes, f->snapshot_bytes)
FUNCTION_VALUE(vms_max, f->spec->concurrency.max)
FUNCTION_VALUE(inflight, metrics_get(&f->metrics->inflight))
FUNCTION_VALUE(queued, f->queued)
FUNCTION_VALUE(queue_limit, f->spec->concurrency.queue)
FUNCTION_VALUE(events_pending, metrics_get(&f->metrics->events_pending))
FUNCTION_VALUE(events_accepted, metrics_get(&f->metrics->events_accepted))
FUNCTION_VALUE(events_done, metrics_get(&f->metrics->events_done))
FUNCTION_VALUE(events_retried, metrics_get(&f->metrics->events_retried))
FUNCTION_VALUE(events_dropped, metrics_get(&f->metrics->events_dropped))
FUNCTION_VALUE(no_core, f->stats.no_core)
FUNCTION_VALUE(log_lines, metrics_get(&f->metrics->log_lines))
FUNCTION_VALUE(log_dropped, metrics_get(&f->metrics->log_dropped))

static const struct function_family function_families[] = {
	{ "thaw_vm_exits_total", "counter",
	  "Exits of vcpus to the server, during invocations.", get_exits },
	{ "thaw_snapshot_restores_total", "counter",
	  "Vms restored to their snapshot after an invocation.", get_restores },
	{ "thaw_restored_bytes_total", "counter",
	  "Bytes of memory copied to restore vms.", get_copied_bytes },
	{ "thaw_restores_offloaded_total", "counter",
	  "Restores of many pages, done by an offload thread.",
	  get_restores_offloaded },
	{ "thaw_queue_turns_total", "counter",
	  "Invocations that workers took from their queues while these waited.",
	  get_turns },
	{ "thaw_thread_waits_total", "counter",
	  "Runs, restores and new vms that had to wait for a thread.",
	  get_thread_waits },
	{ "thaw_snapshot_builds_total", "counter", "Boots that began.",
	  get_boots },
	{ "thaw_snapshot_build_failures_total", "counter", "Boots that failed.",
	  get_boot_failures },
	{ "thaw_snapshot_bytes", "gauge",
	  "Memory of the snapshot, shared by all vms.", get_snapshot_bytes },
	{ "thaw_instances_max", "gauge", "Vms the function may have.",
	  get_vms_max },
	{ "thaw_inflight", "gauge", "Invocations that run or wait.",
	  get_inflight },
	{ "thaw_queue_depth", "gauge", "Invocations that wait for a vm.",
	  get_queued },
	{ "thaw_queue_limit", "gauge", "Invocations that may wait for a vm.",
	  get_queue_limit },
	{ "thaw_async_pending", "gauge",
	  "Event invocations that have not ended.", get_events_pending },
	{ "thaw_async_accepted_total", "counter", "Event invocations taken.",
	  get_events_accepted },
	{ "thaw_async_done_total", "counter",
	  "Event invocations that ended well.", get_events_done },
	{ "thaw_async_retries_total", "counter",
	  "Event invocations begun again.", get_events_retried },
	{ "thaw_async_dropped_total", "counter", "Event invocations given up.",
	  get_events_dropped },
	{ "thaw_dispatch_no_core_total", "counter",
	  "Invocations not polled for want of a core.", get_no_core },
	{ "thaw_function_log_lines_total", "counter",
	  "Log lines of the function.", get_log_lines },
	{ "thaw_function_log_lines_dropped_total", "counter",
	  "Log lines of the function that were lost.", get_log_dropped },
	{ NULL, NULL, NULL, NULL },
};

/* A family of two numbers, which differ in a label. */
struct pair_family {
	const char *name, *type, *help;
	const char *label, *values[2];
	uint64_t (*get[2])(const struct function_view *function);
};

static const struct pair_family pair_families[] = {
	{ "thaw_starts_total",
	  "counter",
	  "Invocations by whether their vm was there.",
	  "start",
	  { "warm", "snapshot" },
	  { get_warm, get_from_snapshot } },
	{ "thaw_instances",
	  "gauge",
	  "Vms of the function.",
	  "state",
	  { "idle", "busy" },
	  { get_vms_idle, get_vms_busy } },
	{ "thaw_dispatch_total",
	  "counter",
	  "Invocations by how they reached the guest.",
	  "mode",
	  { "polled", "exit" },
	  { get_polled, get_exited } },
	{ .name = NULL },
};

static void write_invocations(const struct server_view *view,
			      struct buffer *out)
{
	const char *name = "thaw_invocations_total";

	prometheus_head(out, name, "counter", "Invocations by how they ended.");
	for (size_t i = 0; i < view->count; i++)
		for (enum metrics_outcome o = 0; o < METRICS_OUTCOMES; o++) {
			const struct function_view *function =
				&view->functions[i];

			write_sample(out, name, function,
				     &(struct label){ "outcome",
						      metrics_outcome_name(o) },
				     metrics_get(
					     &function->metrics->outcomes[o]));
		}
}

/* A function is in none or more of the states that thaw_functions counts. */
static void write_states(const struct server_view *view, struct buffer *out)
{
	const char *name = "thaw_function_state";

	prometheus_head(out, name, "gauge",
			"Whether the function is in the state.");
	for (size_t i = 0; i < view->count; i++) {
		const struct function_view *f = &view->functions[i];
		const struct {
			const char *name;
			bool is;
		} states[] = {
			{ "active", f->state == FUNCTION_ACTIVE },
			{ "pending", f->state == FUNCTION_PENDING },
			{ "failed", f->state == FUNCTION_FAILED },
			{ "outdated", f->update != UPDATE_NONE },
		};

		for (size_t s = 0; s < sizeof(states) / sizeof(*states); s++)
			write_sample(out, name, f,
				     &(struct label){ "state", states[s].name },
				     states[s].is);
	}
}

#define LABEL_PREFIX "label_"
#define LABEL_CONFLICT "_conflict"
/* Room for the name of a catalog's label in Prometheus, with the zero. */
#define LABEL_MAX                                                     \
	(sizeof(LABEL_PREFIX LABEL_CONFLICT) + LIMIT_LABEL_NAME_MAX + \
	 sizeof("64"))

static bool is_label_taken(char names[][LABEL_MAX], size_t count,
			   const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/*
 * Makes a label's name: characters other than letters, digits and _ become _. If
 * two names become one, the later one gets a number at its end.
 */
static void name_label(char names[][LABEL_MAX], size_t count, const char *pair)
{
	char name[LABEL_MAX];
	size_t size = strcspn(pair, "=");

	if (size > LIMIT_LABEL_NAME_MAX)
		size = LIMIT_LABEL_NAME_MAX;
	snprintf(name, sizeof(name), LABEL_PREFIX "%.*s", (int)size, pair);
	for (char *c = name; *c; c++)
		if (strchr("./-", *c))
			*c = '_';
	strcpy(names[count], name);
	for (unsigned i = 1; is_label_taken(names, count, names[count]); i++)
		snprintf(names[count], LABEL_MAX, "%.*s" LABEL_CONFLICT "%u",
			 (int)(sizeof(LABEL_PREFIX) - 1 + size), name, i);
}

static void write_labels(struct buffer *out, char *const *labels)
{
	char names[LIMIT_LABELS_MAX][LABEL_MAX];

	for (size_t i = 0; labels && labels[i] && i < LIMIT_LABELS_MAX; i++) {
		name_label(names, i, labels[i]);
		buffer_text(out, ",");
		prometheus_label(out, names[i], strchr(labels[i], '=') + 1);
	}
}

static void write_infos(const struct server_view *view, struct buffer *out)
{
	const char *name = "thaw_function_info";

	prometheus_head(out, name, "gauge",
			"1, labelled with the function's labels.");
	for (size_t i = 0; i < view->count; i++) {
		write_function_labels(out, name, &view->functions[i], NULL);
		write_labels(out, view->functions[i].spec->labels);
		buffer_text(out, "} 1\n");
	}
}

static void write_durations(const struct server_view *view, struct buffer *out)
{
	static const struct histogram_names names =
		HISTOGRAM("thaw_invocation_duration_seconds");

	prometheus_head(out, names.family, "histogram",
			"Invocations, from the request to the end of the run.");
	for (size_t i = 0; i < view->count; i++)
		write_histogram(out, &names, &view->functions[i], NULL,
				&view->functions[i].metrics->duration);
}

static void write_phases(const struct server_view *view, struct buffer *out)
{
	static const struct histogram_names names =
		HISTOGRAM("thaw_phase_duration_seconds");

	prometheus_head(
		out, names.family, "histogram",
		"Parts of an invocation: queue, run, and restore after it.");
	for (size_t i = 0; i < view->count; i++)
		for (enum metrics_phase p = 0; p < METRICS_PHASES; p++)
			write_histogram(out, &names, &view->functions[i],
					&(struct label){
						"phase",
						metrics_phase_name(p) },
					&view->functions[i].metrics->phases[p]);
}

static void write_pairs(const struct server_view *view, struct buffer *out)
{
	for (const struct pair_family *family = pair_families; family->name;
	     family++) {
		prometheus_head(out, family->name, family->type, family->help);
		for (size_t i = 0; i < view->count; i++)
			for (int k = 0; k < 2; k++)
				write_sample(out, family->name,
					     &view->functions[i],
					     &(struct label){
						     family->label,
						     family->values[k] },
					     family->get[k](
						     &view->functions[i]));
	}
}

static void write_numbers(const struct server_view *view, struct buffer *out)
{
	for (const struct function_family *family = function_families;
	     family->name; family++) {
		prometheus_head(out, family->name, family->type, family->help);
		for (size_t i = 0; i < view->count; i++)
			write_sample(out, family->name, &view->functions[i],
				     NULL, family->get(&view->functions[i]));
	}
}

/* Whether nothing has happened to it: it waits in the store for its first invocation. */
static bool is_untouched(const struct function_view *function)
{
	return function->state == FUNCTION_ACTIVE && !function->is_loaded &&
	       !metrics_get(&function->metrics->boots) &&
	       !metrics_get(&function->metrics->log_lines);
}

/* What is counted of @view's functions, but not of those that are untouched. */
static void write_counts(const struct server_view *view, struct buffer *out)
{
	struct function_view *functions =
		calloc(view->count, sizeof(*functions));
	struct server_view some = *view;

	if (!functions) {
		out->failed = true;
		return;
	}
	some.functions = functions;
	some.count = 0;
	for (size_t i = 0; i < view->count; i++)
		if (!is_untouched(&view->functions[i]))
			functions[some.count++] = view->functions[i];
	write_invocations(&some, out);
	write_durations(&some, out);
	write_phases(&some, out);
	write_pairs(&some, out);
	write_numbers(&some, out);
	free(functions);
}

void admin_write_function_metrics(const struct server_view *view,
				  struct buffer *out)
{
	if (!view->count)
		return;
	write_infos(view, out);
	write_states(view, out);
	write_counts(view, out);
}
