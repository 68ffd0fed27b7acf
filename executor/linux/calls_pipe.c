/* calls_pipe.c - see calls_pipe.h. */
#include "executor/linux/calls_pipe.h"

#include <errno.h>
#include <fcntl.h>

#include "executor/linux/file_pipe.h"
#include "executor/linux/process.h"

/* Opens the ends of the pipe at @place. What it has opened is closed if it fails. */
static int open_ends(struct linux_process *process, uint32_t place,
		     uint64_t flags, int32_t ends[2])
{
	struct files *files = &process->files;

	ends[0] = files_open(files, &file_pipe_reader, flags | O_RDONLY, NULL);
	if (ends[0] < 0) {
		pipes_drop(&files->pipes, place, false);
		pipes_drop(&files->pipes, place, true);
		return ends[0];
	}
	files_get(files, (uint64_t)ends[0])->pipe = place;
	ends[1] = files_open(files, &file_pipe_writer, flags | O_WRONLY, NULL);
	if (ends[1] < 0) {
		pipes_drop(&files->pipes, place, true);
		files_close(files, process, (uint64_t)ends[0]);
		return ends[1];
	}
	files_get(files, (uint64_t)ends[1])->pipe = place;
	return 0;
}

static int64_t make_pipe(struct linux_process *process, uint64_t to,
			 uint64_t flags)
{
	struct files *files = &process->files;
	int32_t ends[2];
	int r;

	if (flags & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	r = pipes_add(&files->pipes);
	if (r < 0)
		return r;
	r = open_ends(process, (uint32_t)r, flags, ends);
	if (!r && space_write(&process->space, to, ends, sizeof(ends))) {
		files_close(files, process, (uint64_t)ends[0]);
		files_close(files, process, (uint64_t)ends[1]);
		r = -EFAULT;
	}
	return r;
}

int64_t call_pipe(struct linux_process *process, const uint64_t *args)
{
	return make_pipe(process, args[0], 0);
}

int64_t call_pipe2(struct linux_process *process, const uint64_t *args)
{
	return make_pipe(process, args[0], (uint32_t)args[1]);
}

int64_t call_not_spliced(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	(void)args;
	return -EINVAL;
}
