/* server_view.c - describes a running server. See server_view.h. */
#include "executor/server/server_view.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "executor/server/log/log.h"

/* Bytes in use: those in the purses of workers are not. */
static uint64_t server_view_buffered(const struct shared *shared)
{
	uint64_t used = metrics_get(&shared->buffers.used), spare = 0;

	for (unsigned i = 0; i < shared->worker_count; i++)
		spare += metrics_get(&shared->workers[i].purse.credit);
	return used > spare ? used - spare : 0;
}

int server_view(struct worker *worker, struct server_view *ret_view)
{
	struct shared *shared = worker->shared;
	struct generation *generation = worker->generation;
	const uint64_t now_ns = clock_now_ns();
	struct function_view *functions =
		calloc(generation->count + 1, sizeof(*functions));
	uint64_t oldest_ns = UINT64_MAX;
	unsigned threads;

	if (!functions)
		return -ENOMEM;
	for (size_t i = 0; i < generation->count; i++)
		generation_view(generation, i, &functions[i]);
	for (unsigned i = 0; i < shared->worker_count; i++) {
		uint64_t its_ns =
			atomic_load(&shared->workers[i].oldest_event_ns);

		if (its_ns < oldest_ns)
			oldest_ns = its_ns;
	}
	*ret_view = (struct server_view){
		.state = (enum server_state)atomic_load(&shared->state),
		.catalog_path = shared->options.catalog,
		.catalog_sha256 = generation->sha256,
		.generation = generation->number,
		.start_unix_ms = shared->start_unix_ms,
		.uptime_ms = (now_ns - shared->start_ns) / NS_PER_MS,
		.workers = shared->worker_count,
		.io = io_name(worker->io),
		.events_queued = (unsigned)atomic_load(&shared->events),
		.events_max = (unsigned)shared->options.events_max,
		.events_oldest_ms = oldest_ns < now_ns ?
					    (now_ns - oldest_ns) / NS_PER_MS :
					    0,
		.max_connections = shared->options.max_connections,
		.buffered = server_view_buffered(shared),
		.max_buffered = shared->buffers.max,
		.log_dropped = log_dropped(),
		.memory = metrics_get(&shared->memory.budget.used),
		.max_memory = shared->memory.budget.max,
		.pressure = shared->memory.is_watched ?
				    shared->memory.source.path :
				    "",
		.last_reload_error = "",
		.metrics = &shared->metrics,
		.functions = functions,
		.count = generation->count,
	};
	offload_count(shared->offload, &threads, &ret_view->offload_busy);
	ret_view->offload_threads = threads;
	return 0;
}

void server_view_done(struct server_view *view)
{
	free((void *)view->functions);
	view->functions = NULL;
}
