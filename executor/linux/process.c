/* process.c - see process.h. */
#include "executor/linux/process.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int linux_process_init(struct linux_process *process,
		       const struct linux_program *program,
		       const struct layout *layout, uint8_t *memory)
{
	*process = (struct linux_process){
		.program = program,
		.executable = program->path,
		.arguments = program->arguments,
	};
	signals_init(&process->signals);
	gunyah_state_init(&process->gunyah, &process->signals,
			  &program->gunyah);
	limits_init(&process->limits, layout, FILES_MAX);
	process->directory.node = DIRECTORY_NOWHERE;
	strcpy(process->directory.path, "/");
	process->creation_mask = 022;
	if (threads_init(&process->threads) ||
	    tmpfs_init(&process->tmpfs, program->tmp_size, program->memory))
		return -ENOMEM;
	return space_init(&process->space, layout, memory);
}

void linux_process_done(struct linux_process *process)
{
	space_done(&process->space);
	files_done(&process->files);
	threads_done(&process->threads);
	tmpfs_done(&process->tmpfs);
	script_done(&process->script);
	buffer_done(&process->request.output);
	buffer_done(&process->device.line);
}

void linux_process_freeze(struct linux_process *process)
{
	linux_process_log_end(process);
	space_freeze(&process->space);
	signals_freeze(&process->signals);
	process->is_frozen = true;
}

/* The files that it may write, and where it is. */
static void restore_places(struct linux_process *process,
			   const struct linux_process *frozen)
{
	const bool is_new = !process->tmpfs.tree;

	tmpfs_copy(&process->tmpfs, &frozen->tmpfs);
	process->creation_mask = frozen->creation_mask;
	process->nice = frozen->nice;
	if (is_new || process->limits.is_changed)
		process->limits = frozen->limits;
	process->limits.is_changed = false;
	if (!is_new && !process->directory.is_changed)
		return;
	process->directory.node = frozen->directory.node;
	strcpy(process->directory.path, frozen->directory.path);
	process->directory.is_changed = false;
}

int linux_process_restore(struct linux_process *process,
			  const struct linux_process *frozen, struct vm *vm)
{
	int r = space_copy(&process->space, &frozen->space, vm);

	if (!r)
		r = files_copy(&process->files, &frozen->files);
	if (!r)
		r = threads_copy(&process->threads, &frozen->threads);
	if (r)
		return r;
	restore_places(process, frozen);
	process->program = frozen->program;
	process->executable = frozen->executable;
	process->arguments = frozen->arguments;
	process->request.before = &frozen->request.output;
	memcpy(process->missing, frozen->missing, sizeof(process->missing));
	signals_copy(&process->signals, &frozen->signals);
	gunyah_state_copy(&process->gunyah, &frozen->gunyah);
	process->ahead_ns = frozen->ahead_ns;
	process->vector = frozen->vector;
	process->vector_size = frozen->vector_size;
	process->shim = frozen->shim;
	process->device.is_asked = frozen->device.is_asked;
	process->is_frozen = true;
	process->line_size = process->tail_size = 0;
	process->status = process->signal = 0;
	process->step = LINUX_GO_ON;
	return 0;
}

void linux_process_release(struct linux_process *process,
			   const struct linux_process *frozen)
{
	tmpfs_copy(&process->tmpfs, &frozen->tmpfs);
	/* without memory, it is tried again before the next request */
	(void)files_copy(&process->files, &frozen->files);
	buffer_shrink(&process->request.output, LINUX_KEPT_MAX);
	buffer_shrink(&process->device.line, LINUX_KEPT_MAX);
}

void linux_process_request(struct linux_process *process, const void *input,
			   size_t size, size_t output_max)
{
	struct linux_request *request = &process->request;

	request->input = input;
	request->input_size = size;
	request->input_used = 0;
	request->output.max = output_max;
	buffer_clear(&request->output);
	/* the program wrote it once, and it is in every reply */
	if (request->before && request->before->size)
		buffer_append(&request->output, request->before->data,
			      request->before->size);
	process->is_request = true;
}

void linux_process_output(struct linux_process *process, const void *bytes,
			  size_t size)
{
	struct buffer *output = &process->request.output;

	if (!process->is_request)
		output->max = LINUX_BEFORE_MAX;
	/* a reply that is too large fails as a whole, not in a part of it */
	buffer_append(output, bytes, size);
}

static void log_line(struct linux_process *process)
{
	if (process->log)
		process->log(process->log_cookie, process->line,
			     process->line_size);
	process->line_size = 0;
}

void linux_process_log_end(struct linux_process *process)
{
	if (process->line_size)
		log_line(process);
}

/* Keeps the end of what goes to stderr. */
static void keep_tail(struct linux_process *process, const char *text,
		      size_t size)
{
	size_t keep;

	if (size > LINUX_TAIL_MAX) {
		text += size - LINUX_TAIL_MAX;
		size = LINUX_TAIL_MAX;
	}
	keep = process->tail_size;
	if (keep > LINUX_TAIL_MAX - size)
		keep = LINUX_TAIL_MAX - size;
	memmove(process->tail, process->tail + process->tail_size - keep, keep);
	memcpy(process->tail + keep, text, size);
	process->tail_size = keep + size;
}

void linux_process_log(struct linux_process *process, const char *text,
		       size_t size)
{
	keep_tail(process, text, size);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n') {
			log_line(process);
			continue;
		}
		if (process->line_size == LINUX_LINE_MAX)
			log_line(process);
		process->line[process->line_size++] = text[i];
	}
}

void linux_process_say(struct linux_process *process, const char *format, ...)
{
	char text[256];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (process->log && size > 0)
		process->log(process->log_cookie, text,
			     (size_t)size < sizeof(text) ? (size_t)size :
							   sizeof(text) - 1);
}
