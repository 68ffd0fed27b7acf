/* readiness.c - sums functions up. See readiness.h. */
#include "executor/server/readiness.h"

#include <stdio.h>
#include <string.h>

/* What is told first. */
enum rank {
	CRITICAL, /* it is not there, and must be */
	FAILED,
	PENDING,
	RANKS,
};

static enum rank rank_of(const struct function_view *view)
{
	if (view->state == FUNCTION_ACTIVE)
		return view->update == UPDATE_FAILED ? FAILED : RANKS;
	if (view->spec->critical)
		return CRITICAL;
	return view->state == FUNCTION_FAILED ? FAILED : PENDING;
}

static void count_one(const struct function_view *view,
		      struct function_counts_view *counts)
{
	counts->total++;
	counts->active += view->state == FUNCTION_ACTIVE;
	counts->pending += view->state == FUNCTION_PENDING;
	counts->failed += view->state == FUNCTION_FAILED;
	counts->outdated += view->update != UPDATE_NONE;
	counts->booting += view->state == FUNCTION_PENDING ||
			   view->update == UPDATE_PENDING;
	counts->critical_missing += rank_of(view) == CRITICAL;
}

void readiness_count(const struct function_view *views, size_t count,
		     struct function_counts_view *ret_counts)
{
	memset(ret_counts, 0, sizeof(*ret_counts));
	for (size_t i = 0; i < count; i++)
		count_one(&views[i], ret_counts);
}

static void add_check(const struct function_view *view,
		      struct readiness *readiness)
{
	struct readiness_check *check = &readiness->checks[readiness->count++];

	check->is_critical = view->spec->critical;
	snprintf(check->name, sizeof(check->name), "%s", view->spec->name);
	snprintf(check->reason, sizeof(check->reason), "%s",
		 view->state == FUNCTION_PENDING ? "is being booted" :
						   view->reason);
}

void readiness_make(const struct function_view *views, size_t count,
		    struct readiness *ret_readiness)
{
	memset(ret_readiness, 0, sizeof(*ret_readiness));
	readiness_count(views, count, &ret_readiness->functions);
	for (int rank = 0; rank < RANKS; rank++)
		for (size_t i = 0; i < count; i++)
			if ((int)rank_of(&views[i]) == rank &&
			    ret_readiness->count < SERVER_CHECKS_MAX)
				add_check(&views[i], ret_readiness);
}
