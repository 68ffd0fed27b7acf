/* log_limit.c - see log_limit.h. */
#include "executor/server/log/log_limit.h"

#include "base/clock.h"

/*
 * Each line moves until_ns forward by its share of a second, but not further ahead
 * of the clock than a burst of lines.
 */
bool log_limit_take(struct log_limit *limit, uint64_t now_ns)
{
	const uint64_t step_ns = NS_PER_S / limit->per_second;
	const memory_order relaxed = memory_order_relaxed;
	uint64_t old_ns = atomic_load_explicit(&limit->until_ns, relaxed);
	uint64_t until_ns;

	do {
		until_ns = (old_ns > now_ns ? old_ns : now_ns) + step_ns;
		if (until_ns - now_ns > limit->burst * step_ns)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&limit->until_ns,
							&old_ns, until_ns,
							relaxed, relaxed));
	return true;
}
