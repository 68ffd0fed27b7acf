/*
 * calls_limits.c - see calls_limits.h. A program may lower its limits. Those of descriptors
 * and of memory hold for what it asks for from then on; all are told when it asks.
 */
#include "executor/linux/calls_limits.h"

#include <errno.h>

#include "executor/linux/process.h"

/* Whoever obeys a limit learns of it here. */
static void apply_limit(struct linux_process *process, uint64_t resource)
{
	const rlim_t now = process->limits.list[resource].rlim_cur;

	if (resource == RLIMIT_NOFILE) {
		process->files.withheld = FILES_MAX - (unsigned)now;
		process->files.is_changed = true;
	} else if (resource == RLIMIT_AS || resource == RLIMIT_DATA) {
		process->limits.is_memory_limited = true;
		/* nor does the shim map anything any more */
		process->space.is_planned = false;
	}
}

static int64_t set_limit(struct linux_process *process, uint64_t resource,
			 uint64_t from)
{
	struct rlimit *old = &process->limits.list[resource], new;

	if (space_read(&process->space, from, &new, sizeof(new)))
		return -EFAULT;
	if (new.rlim_cur > new.rlim_max)
		return -EINVAL;
	if (new.rlim_max > old->rlim_max)
		return -EPERM;
	*old = new;
	process->limits.is_changed = true;
	apply_limit(process, resource);
	return 0;
}

int64_t call_prlimit64(struct linux_process *process, const uint64_t *args)
{
	struct rlimit old;
	int64_t r = 0;

	/* it is process 1 */
	if (args[0] > 1)
		return -ESRCH;
	if (args[1] >= RLIM_NLIMITS)
		return -EINVAL;
	old = process->limits.list[args[1]];
	if (args[2])
		r = set_limit(process, args[1], args[2]);
	if (!r && args[3])
		r = space_write(&process->space, args[3], &old, sizeof(old));
	return r;
}

int64_t call_getrlimit(struct linux_process *process, const uint64_t *args)
{
	if (args[0] >= RLIM_NLIMITS)
		return -EINVAL;
	return space_write(&process->space, args[1],
			   &process->limits.list[args[0]],
			   sizeof(struct rlimit));
}

int64_t call_setrlimit(struct linux_process *process, const uint64_t *args)
{
	return args[0] < RLIM_NLIMITS ? set_limit(process, args[0], args[1]) :
					-EINVAL;
}
