/* calls_identity.c - see calls_identity.h. */
#include "executor/linux/calls_identity.h"

#include <errno.h>
#include <stdbool.h>

#include "executor/linux/process.h"

/* Who the program is: see load.c, whose auxiliary vector says the same. */
#define USER_ID 65534
#define PROCESS_ID 1

int64_t call_getuid(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	(void)args;
	return USER_ID;
}

int64_t call_getresuid(struct linux_process *process, const uint64_t *args)
{
	const uint32_t id = USER_ID;

	for (int i = 0; i < 3; i++)
		if (space_write(&process->space, args[i], &id, sizeof(id)))
			return -EFAULT;
	return 0;
}

/* None. */
int64_t call_getgroups(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	return (int32_t)args[0] < 0 ? -EINVAL : 0;
}

int64_t call_setuid(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	return (uint32_t)args[0] == USER_ID ? 0 : -EPERM;
}

/* Whether each is the identity that the program has, or says "as it is". */
static bool are_own(const uint64_t *ids, int count)
{
	for (int i = 0; i < count; i++)
		if ((uint32_t)ids[i] != USER_ID &&
		    (uint32_t)ids[i] != UINT32_MAX)
			return false;
	return true;
}

int64_t call_setreuid(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	return are_own(args, 2) ? 0 : -EPERM;
}

int64_t call_setresuid(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	return are_own(args, 3) ? 0 : -EPERM;
}

int64_t call_setfsuid(struct linux_process *process, const uint64_t *args)
{
	return call_getuid(process, args);
}

int64_t call_getpid(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	(void)args;
	return PROCESS_ID;
}

int64_t call_getppid(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	(void)args;
	return 0;
}

int64_t call_getpgid(struct linux_process *process, const uint64_t *args)
{
	const int32_t id = (int32_t)args[0];

	return id && !threads_find(&process->threads, id) ? -ESRCH : PROCESS_ID;
}

int64_t call_no_child(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	(void)args;
	return -ECHILD;
}
