/* log_limit.c - so many lines a second and no more. See log.h. */
#include "executor/server/log.h"
#include "vm/clock.h"

bool log_limit_take(struct log_limit *limit, uint64_t now_ns,
		    unsigned per_second, unsigned burst, uint64_t *ret_lost)
{
	uint64_t step_ns = per_second ? NS_PER_S / per_second : UINT64_MAX;
	uint64_t passed_ns =
		now_ns > limit->filled_ns ? now_ns - limit->filled_ns : 0;
	uint64_t steps = step_ns ? passed_ns / step_ns : UINT64_MAX;

	if (!limit->filled_ns || limit->tokens >= burst ||
	    steps >= burst - limit->tokens) {
		limit->tokens = burst;
		limit->filled_ns = now_ns;
	} else {
		limit->tokens += steps;
		limit->filled_ns += steps * step_ns;
	}
	*ret_lost = limit->lost;
	if (!limit->tokens) {
		limit->lost++;
		return false;
	}
	limit->tokens--;
	limit->lost = 0;
	return true;
}
