/* calls_socket.c - see calls_socket.h. */
#include "executor/linux/calls_socket.h"

#include <errno.h>

#include "executor/linux/process.h"

int64_t call_no_socket(struct linux_process *process, const uint64_t *args)
{
	return files_get(&process->files, args[0]) ? -ENOTSOCK : -EBADF;
}
