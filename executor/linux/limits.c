/* limits.c - see limits.h. */
#include "executor/linux/limits.h"

#include "executor/linux/signals.h"
#include "vm/layout.h"

static void set(struct limits *limits, int resource, rlim_t value)
{
	limits->list[resource] = (struct rlimit){ value, value };
}

void limits_init(struct limits *limits, const struct layout *layout,
		 rlim_t files)
{
	for (int i = 0; i < RLIM_NLIMITS; i++)
		set(limits, i, RLIM_INFINITY);
	set(limits, RLIMIT_STACK, layout->stack.size);
	set(limits, RLIMIT_DATA, layout->heap.size);
	set(limits, RLIMIT_AS,
	    layout->heap.size + layout->stack.size + layout->reserve.size);
	set(limits, RLIMIT_NOFILE, files);
	set(limits, RLIMIT_SIGPENDING, SIGNALS_QUEUED_MAX);
	set(limits, RLIMIT_CORE, 0);
	set(limits, RLIMIT_NPROC, 0);
	limits->is_changed = limits->is_memory_limited = false;
}
