/* function_stats.c - the statistics of one function. See function_stats.h. */
#include "executor/server/function_stats.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hot.h"

static const char *const log_causes[FUNCTION_LOGS] = {
	[FUNCTION_LOG_LINES] = "lines of the function",
	[FUNCTION_LOG_ENDS] = "invocations",
	[FUNCTION_LOG_EVENTS] = "events dropped",
};

void function_stats_init(struct function_stats *stats, const char *name)
{
	atomic_store(&stats->references, 1);
	snprintf(stats->name, sizeof(stats->name), "%s", name);
	for (int i = 0; i < FUNCTION_LOGS; i++)
		stats->log_limits[i] = (struct log_limit){
			.per_second = FUNCTION_LOG_PER_SECOND,
			.burst = FUNCTION_LOG_BURST,
			.cause = log_causes[i],
			.function = stats->name,
		};
	event_line_init(&stats->events);
}

void function_stats_done(struct function_stats *stats)
{
	for (int i = 0; i < FUNCTION_LOGS; i++)
		log_limit_done(&stats->log_limits[i]);
	event_line_done(&stats->events);
}

struct function_stats *function_stats_create(const char *name)
{
	struct function_stats *stats = calloc(1, sizeof(*stats));

	if (stats)
		function_stats_init(stats, name);
	return stats;
}

struct function_stats *function_stats_hold(struct function_stats *stats)
{
	atomic_fetch_add_explicit(&stats->references, 1, memory_order_relaxed);
	return stats;
}

void function_stats_release(struct function_stats *stats)
{
	if (!stats || atomic_fetch_sub(&stats->references, 1) != 1)
		return;
	function_stats_done(stats);
	free(stats);
}

HOT bool function_stats_may_log(struct function_stats *stats,
				enum function_log log, enum thaw_level level)
{
	static struct log_limit all = {
		.per_second = FUNCTION_LOG_ALL_PER_SECOND,
		.burst = FUNCTION_LOG_ALL_BURST,
		.cause = "lines of all functions",
	};
	bool may;

	if (!log_wants(level))
		return false;
	may = log_may(&stats->log_limits[log], level) && log_may(&all, level);
	metrics_add(may ? &stats->metrics.log_lines :
			  &stats->metrics.log_dropped,
		    1);
	return may;
}
