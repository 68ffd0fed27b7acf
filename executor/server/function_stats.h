/*
 * function_stats.h - the statistics of one function: what a server counts of it,
 * and what passes on when the catalog is reloaded.
 *
 * A function keeps its statistics by name, from one generation to the next: its
 * counters, its line of Event invocations, and the limits of its log lines, so
 * that no reload renews them. Reference counted; any thread.
 */
#ifndef EXECUTOR_SERVER_FUNCTION_STATS_H
#define EXECUTOR_SERVER_FUNCTION_STATS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "executor/limits.h"
#include "executor/server/event_line.h"
#include "executor/server/log/log.h"
#include "executor/server/metrics.h"

/*
 * Log lines of one function and of one kind, in a second and at once; and of
 * all functions together. The lines of an invocation arrive at once: 1,000, and
 * the one that says that there were more.
 */
#define FUNCTION_LOG_PER_SECOND 100
#define FUNCTION_LOG_BURST 1001
#define FUNCTION_LOG_ALL_PER_SECOND 1000
#define FUNCTION_LOG_ALL_BURST 10000

/* The kinds of log lines; each has a limit of its own. */
enum function_log {
	FUNCTION_LOG_LINES,  /* the function's own */
	FUNCTION_LOG_ENDS,   /* invocations that failed or were refused */
	FUNCTION_LOG_EVENTS, /* Event invocations that were dropped */
	FUNCTION_LOGS,
};

struct function_stats {
	_Atomic unsigned references;
	char name[LIMIT_NAME_MAX + 1];
	struct log_limit log_limits[FUNCTION_LOGS];
	_Atomic bool boot_failed; /* the last boot */
	struct metrics_function metrics;
	struct event_line events;
};

/*
 * Statistics of the function @name, with one reference, which is the caller's.
 * NULL: no memory.
 */
struct function_stats *function_stats_create(const char *name);

/* Takes one more reference, and returns @stats. */
struct function_stats *function_stats_hold(struct function_stats *stats);

/* Gives a reference back; the last one frees @stats. NULL is fine. */
void function_stats_release(struct function_stats *stats);

/*
 * Begins and ends @stats in memory that is the caller's: create() and release()
 * do so for their own.
 */
void function_stats_init(struct function_stats *stats, const char *name);
void function_stats_done(struct function_stats *stats);

/*
 * Whether a line of kind @log at @level is to be written now. Counts the line,
 * or its loss. Any thread.
 */
bool function_stats_may_log(struct function_stats *stats, enum function_log log,
			    enum thaw_level level);

#endif
