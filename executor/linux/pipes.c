/* pipes.c - see pipes.h. */
#include "executor/linux/pipes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void pipes_done(struct pipes *pipes)
{
	for (size_t i = 0; i < PIPES_MAX; i++)
		free(pipes->list[i].bytes);
	memset(pipes, 0, sizeof(*pipes));
}

/* The bytes keep their places, so what was not written is not copied. */
static void copy_bytes(struct pipe *to, const struct pipe *from)
{
	const uint32_t end = from->start + from->size;
	const uint32_t first = end > from->capacity ?
				       from->capacity - from->start :
				       from->size;

	memcpy(to->bytes + from->start, from->bytes + from->start, first);
	memcpy(to->bytes, from->bytes, from->size - first);
}

static int copy_pipe(struct pipe *to, const struct pipe *from)
{
	uint8_t *bytes = to->bytes;

	if (!from->size) {
		free(bytes);
		*to = *from;
		to->bytes = NULL;
		return 0;
	}
	if (!bytes || to->capacity != from->capacity) {
		bytes = realloc(to->bytes, from->capacity);
		if (!bytes)
			return -ENOMEM;
	}
	*to = *from;
	to->bytes = bytes;
	copy_bytes(to, from);
	return 0;
}

int pipes_copy(struct pipes *to, const struct pipes *from)
{
	int r = 0;

	if (to->is_made && !to->is_changed)
		return 0;
	for (size_t i = 0; i < PIPES_MAX && !r; i++)
		if (to->list[i].is_used || from->list[i].is_used)
			r = copy_pipe(&to->list[i], &from->list[i]);
	to->capacity = from->capacity;
	to->is_made = true;
	/* a copy that is not whole is to be made again */
	to->is_changed = r != 0;
	return r;
}

int pipes_add(struct pipes *pipes)
{
	uint32_t place = 0;

	while (place < PIPES_MAX && pipes->list[place].is_used)
		place++;
	if (place == PIPES_MAX ||
	    pipes->capacity + PIPE_CAPACITY > PIPES_CAPACITY_MAX)
		return -ENFILE;
	pipes->list[place] = (struct pipe){
		.is_used = true,
		.readers = 1,
		.writers = 1,
		.capacity = PIPE_CAPACITY,
	};
	pipes->capacity += PIPE_CAPACITY;
	pipes->is_changed = true;
	return (int)place;
}

void pipes_drop(struct pipes *pipes, uint32_t place, bool is_writer)
{
	struct pipe *pipe = &pipes->list[place];

	pipes->is_changed = true;
	/* the other end's readiness changes: end of file, or EPIPE */
	if (is_writer) {
		pipe->writers--;
		pipe->readable++;
	} else {
		pipe->readers--;
		pipe->writable++;
	}
	if (pipe->readers || pipe->writers)
		return;
	pipes->capacity -= pipe->capacity;
	free(pipe->bytes);
	memset(pipe, 0, sizeof(*pipe));
}

/* Moves what the pipe holds to the start of a memory of @capacity bytes. */
static int move_bytes(struct pipe *pipe, uint32_t capacity)
{
	uint8_t *bytes = malloc(capacity);
	uint32_t done = 0;

	if (!bytes)
		return -ENOMEM;
	while (pipe->size) {
		size_t size;
		const uint8_t *from = pipe_view(pipe, &size);

		memcpy(bytes + done, from, size);
		done += (uint32_t)size;
		pipe_take(pipe, size);
	}
	free(pipe->bytes);
	pipe->bytes = bytes;
	pipe->start = 0;
	pipe->size = done;
	return 0;
}

int pipes_resize(struct pipes *pipes, uint32_t place, uint64_t size)
{
	struct pipe *pipe = &pipes->list[place];
	uint32_t capacity = PIPE_CAPACITY_MIN;
	int r = 0;

	if (size > UINT64_C(1) << 31)
		return -EINVAL;
	if (size > PIPE_CAPACITY_MAX)
		return -EPERM;
	while (capacity < size)
		capacity *= 2;
	if (pipe->size > capacity)
		return -EBUSY;
	if (pipes->capacity - pipe->capacity + capacity > PIPES_CAPACITY_MAX)
		return -EPERM;
	if (pipe->bytes)
		r = move_bytes(pipe, capacity);
	if (r)
		return r;
	pipes->capacity += capacity - pipe->capacity;
	pipe->capacity = capacity;
	pipe->writable++;
	pipes->is_changed = true;
	return (int)capacity;
}

int64_t pipe_put(struct pipe *pipe, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	size_t left = pipe->capacity - pipe->size;

	if (!pipe->bytes)
		pipe->bytes = malloc(pipe->capacity);
	if (!pipe->bytes)
		return -ENOMEM;
	if (size > left)
		size = left;
	for (left = size; left > 0;) {
		const uint32_t at = (pipe->start + pipe->size) % pipe->capacity;
		size_t part = pipe->capacity - at;

		if (part > left)
			part = left;
		memcpy(pipe->bytes + at, from, part);
		from += part;
		left -= part;
		pipe->size += (uint32_t)part;
	}
	return (int64_t)size;
}

const uint8_t *pipe_view(const struct pipe *pipe, size_t *ret_size)
{
	const uint32_t first = pipe->capacity - pipe->start;

	*ret_size = pipe->size < first ? pipe->size : first;
	return pipe->bytes + pipe->start;
}

void pipe_take(struct pipe *pipe, size_t size)
{
	pipe->size -= (uint32_t)size;
	pipe->start = (pipe->start + (uint32_t)size) % pipe->capacity;
}
