/*
 * readiness.h - what /readyz says: made when a function's state changes, so that
 * asking costs the same however many functions there are.
 */
#ifndef EXECUTOR_SERVER_READINESS_H
#define EXECUTOR_SERVER_READINESS_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/limits.h"
#include "executor/protocol/view.h"
#include "executor/server/server_limits.h"

/* A function that is not as the catalog wants it. */
struct readiness_check {
	char name[LIMIT_NAME_MAX + 1];
	char reason[SERVER_CHECK_REASON_MAX];
	bool is_critical;
};

struct readiness {
	struct function_counts_view functions;
	/* Some of those; critical ones first, then failed ones. */
	struct readiness_check checks[SERVER_CHECKS_MAX];
	size_t count;
};

/* Counts the @count functions at @views. */
void readiness_count(const struct function_view *views, size_t count,
		     struct function_counts_view *ret_counts);

/* The same, and names some. */
void readiness_make(const struct function_view *views, size_t count,
		    struct readiness *ret_readiness);

#endif
