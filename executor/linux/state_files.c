/* state_files.c - descriptors, and what is behind them, in a state: see state.h. */
#include "executor/linux/state_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "executor/linux/device.h"
#include "executor/linux/file_device.h"
#include "executor/linux/file_epoll.h"
#include "executor/linux/file_event.h"
#include "executor/linux/file_host.h"
#include "executor/linux/file_pipe.h"
#include "executor/linux/file_stdio.h"
#include "executor/linux/file_timer.h"
#include "executor/linux/file_tmpfs.h"
#include "executor/linux/process.h"
#include "executor/linux/state_codec.h"
#include "executor/linux/state_host_files.h"
#include "executor/linux/tmpfs_tree.h"

/* A period of a timer: sums with times do not wrap. */
#define EVERY_MAX_NS (UINT64_MAX / 4)

/* As they are numbered, from 1 on: of one version, the order does not change. */
static const struct file_kind *const kinds[] = {
	&file_input, &file_output,	&file_log,	   &file_host,
	&file_tmpfs, &file_pipe_reader, &file_pipe_writer, &file_event,
	&file_timer, &file_epoll,	&file_null,	   &file_zero,
	&file_full,  &file_random,	&file_thaw,
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* The number of @kind; 0: of a file that is free; KINDS + 1: there is none. */
static size_t number_of(const struct file_kind *kind)
{
	size_t number = 0;

	if (!kind)
		return 0;
	while (number < KINDS && kinds[number] != kind)
		number++;
	return number + 1;
}

static bool is_pipe(const struct file *file)
{
	return file->kind == &file_pipe_reader ||
	       file->kind == &file_pipe_writer;
}

static void state_event(struct state *state, struct file_event *event)
{
	STATE_NUMBER(state, event->count);
	STATE_NUMBER(state, event->is_semaphore);
	STATE_NUMBER(state, event->readable);
	STATE_NUMBER(state, event->writable);
	state_need(state, event->count < UINT64_MAX, "an eventfd");
}

static void state_timer(struct state *state, struct file_timer *timer)
{
	STATE_NUMBER(state, timer->clock);
	STATE_NUMBER(state, timer->is_noted);
	state_time(state, &timer->next_ns);
	STATE_NUMBER(state, timer->every_ns);
	STATE_NUMBER(state, timer->readable);
	state_need(state,
		   (timer->clock == CLOCK_REALTIME ||
		    timer->clock == CLOCK_MONOTONIC ||
		    timer->clock == CLOCK_BOOTTIME) &&
			   timer->next_ns != UINT64_MAX &&
			   timer->every_ns <= EVERY_MAX_NS,
		   "a timerfd");
}

/* As open_node(): a link is open as a path alone, and a directory never for writing. */
static bool may_be_open(const struct tmpfs_node *node, uint32_t flags)
{
	if (flags & O_PATH)
		return node->mode != 0;
	return S_ISREG(node->mode) ||
	       (S_ISDIR(node->mode) && (flags & O_ACCMODE) == O_RDONLY);
}

static void state_node(struct state *state, const struct linux_process *process,
		       struct file *file)
{
	const struct tmpfs_tree *tree = process->tmpfs.tree;

	STATE_NUMBER(state, file->node);
	state_need(state,
		   file->node < tree->node_count &&
			   may_be_open(&tree->nodes[file->node], file->flags),
		   "an open file in /tmp");
}

static void state_file(struct state *state, struct linux_process *process,
		       struct file *file)
{
	size_t number = number_of(file->kind);

	if (number > KINDS)
		state_fail(state, -EOPNOTSUPP, "%s is open", file->kind->name);
	STATE_NUMBER(state, number);
	state_need(state, number <= KINDS, "a kind of file");
	if (!number || !state_is_good(state))
		return;
	if (state_is_read(state))
		file->kind = kinds[number - 1];
	STATE_NUMBER(state, file->flags);
	STATE_NUMBER(state, file->offset);
	state_need(state,
		   !(file->flags & O_CLOEXEC) && file->offset <= INT64_MAX,
		   "an open file");
	if (file->kind == &file_tmpfs)
		state_node(state, process, file);
	else if (is_pipe(file))
		STATE_NUMBER(state, file->pipe);
	else if (file->kind == &file_event)
		state_event(state, &file->event);
	else if (file->kind == &file_timer)
		state_timer(state, &file->timer);
	if (is_pipe(file))
		state_need(state, file->pipe < PIPES_MAX, "a pipe");
}

static void state_descriptor(struct state *state, struct files *files,
			     size_t fd)
{
	uint16_t place = files->descriptors[fd];
	struct file *file;

	STATE_NUMBER(state, place);
	STATE_NUMBER(state, files->is_close_on_exec[fd]);
	state_need(state,
		   place <= FILES_MAX &&
			   (place || !files->is_close_on_exec[fd]),
		   "a descriptor");
	if (!place || !state_is_good(state))
		return;
	file = &files->list[place - 1];
	state_need(state, file->kind != NULL, "a descriptor of nothing");
	if (state_is_read(state) && state_is_good(state)) {
		files->descriptors[fd] = place;
		file->references++;
	}
}

/* Counts what the ends of pipes, and timers, are counted by. */
static void count_files(struct state *state, struct files *files)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		const struct file *file = &files->list[i];
		struct pipe *pipe;

		if (!file->kind)
			continue;
		state_need(state, file->references > 0,
			   "a file without a descriptor");
		files->timers += file->kind == &file_timer;
		if (!is_pipe(file))
			continue;
		pipe = &files->pipes.list[file->pipe];
		pipe->is_used = true;
		pipe->readers += file->kind == &file_pipe_reader;
		pipe->writers += file->kind == &file_pipe_writer;
	}
}

static bool is_capacity(uint64_t capacity)
{
	return capacity >= PIPE_CAPACITY_MIN && capacity <= PIPE_CAPACITY_MAX &&
	       !(capacity & (capacity - 1));
}

/* What it holds begins at 0 in a file. */
static void state_pipe_bytes(struct state *state, struct pipe *pipe,
			     uint32_t size)
{
	const uint32_t first = pipe->capacity - pipe->start;

	if (state_is_read(state)) {
		pipe->size = size;
		pipe->bytes = size ? malloc(pipe->capacity) : NULL;
		if (size && !pipe->bytes)
			state_fail(state, -ENOMEM, "no memory for a pipe");
	}
	if (!state_is_good(state) || !size)
		return;
	if (size <= first) {
		state_bytes(state, pipe->bytes + pipe->start, size);
		return;
	}
	state_bytes(state, pipe->bytes + pipe->start, first);
	state_bytes(state, pipe->bytes, size - first);
}

static void state_pipe(struct state *state, struct pipes *pipes,
		       struct pipe *pipe)
{
	uint32_t size = pipe->size;

	STATE_NUMBER(state, pipe->capacity);
	STATE_NUMBER(state, size);
	STATE_NUMBER(state, pipe->readable);
	STATE_NUMBER(state, pipe->writable);
	if (state_is_read(state))
		pipes->capacity += pipe->capacity;
	state_need(state,
		   is_capacity(pipe->capacity) && size <= pipe->capacity &&
			   pipes->capacity <= PIPES_CAPACITY_MAX,
		   "the size of a pipe");
	if (state_is_good(state))
		state_pipe_bytes(state, pipe, size);
}

static bool is_nested(const struct files *files,
		      const struct epoll_entry *entry)
{
	return files->list[entry->file].kind == &file_epoll;
}

/* Whether @entry may be added to those before it. */
static bool is_entry(const struct files *files, const struct epolls *epolls,
		     const struct epoll_entry *entry)
{
	unsigned nested = is_nested(files, entry);

	for (uint32_t i = 0; i < epolls->count; i++) {
		const struct epoll_entry *other = &epolls->list[i];

		if (other->epoll == entry->epoll &&
		    other->file == entry->file && other->fd == entry->fd)
			return false;
		nested += is_nested(files, other);
		/* what is watched watches no epoll file */
		if (is_nested(files, entry) &&
		    (other->file == entry->epoll ||
		     (other->epoll == entry->file && is_nested(files, other))))
			return false;
	}
	return nested <= EPOLLS_NESTED_MAX;
}

static void state_entry(struct state *state, struct files *files,
			struct epoll_entry *entry)
{
	STATE_NUMBER(state, entry->epoll);
	STATE_NUMBER(state, entry->file);
	STATE_NUMBER(state, entry->fd);
	STATE_NUMBER(state, entry->is_new);
	STATE_NUMBER(state, entry->is_done);
	STATE_NUMBER(state, entry->events);
	STATE_NUMBER(state, entry->data);
	STATE_NUMBER(state, entry->seen);
	state_need(state,
		   entry->epoll < FILES_MAX && entry->file < FILES_MAX &&
			   entry->fd < FILES_MAX &&
			   entry->epoll != entry->file &&
			   files->list[entry->epoll].kind == &file_epoll &&
			   files->list[entry->file].kind &&
			   files->list[entry->file].kind->poll,
		   "an entry of epoll");
}

static void state_epolls(struct state *state, struct files *files)
{
	struct epolls *epolls = &files->epolls;
	uint32_t count = epolls->count;

	STATE_NUMBER(state, count);
	STATE_NUMBER(state, epolls->turn);
	state_need(state, count <= EPOLLS_MAX, "the number of epoll entries");
	for (uint32_t i = 0; i < count && state_is_good(state); i++) {
		state_entry(state, files, &epolls->list[i]);
		if (!state_is_read(state) || !state_is_good(state))
			continue;
		state_need(state, is_entry(files, epolls, &epolls->list[i]),
			   "what epoll watches");
		epolls->count++;
	}
}

void state_files(struct state *state, struct linux_process *process)
{
	struct files *files = &process->files;

	for (size_t i = 0; i < FILES_MAX && state_is_good(state); i++)
		state_file(state, process, &files->list[i]);
	for (size_t i = 0; i < FILES_MAX && state_is_good(state); i++)
		state_descriptor(state, files, i);
	if (state_is_read(state) && state_is_good(state))
		count_files(state, files);
	for (size_t i = 0; i < PIPES_MAX && state_is_good(state); i++)
		if (files->pipes.list[i].is_used)
			state_pipe(state, &files->pipes, &files->pipes.list[i]);
	if (state_is_good(state))
		state_epolls(state, files);
	if (state_is_good(state))
		state_host_files(state, process);
}
