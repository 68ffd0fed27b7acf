/* thread.c - see thread.h. */
#include "executor/linux/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first thread's id is the process'. */
#define FIRST_ID 1
#define FIRST_NAME "main"

static unsigned index_of(const struct linux_threads *threads,
			 const struct linux_thread *thread)
{
	unsigned i = 0;

	while (i < threads->count && threads->list[i] != thread)
		i++;
	return i;
}

int threads_need_frame(struct linux_thread *thread)
{
	if (!thread->frame)
		thread->frame = malloc(sizeof(*thread->frame));
	return thread->frame ? 0 : -ENOMEM;
}

/* Makes room for one more behind the living ones. */
static int need_thread(struct linux_threads *threads)
{
	struct linux_thread **place = &threads->list[threads->count];

	if (!*place)
		*place = calloc(1, sizeof(**place));
	return *place ? 0 : -ENOMEM;
}

int threads_init(struct linux_threads *threads)
{
	struct linux_thread *first;

	*threads = (struct linux_threads){ .last_id = FIRST_ID, .turn = 1 };
	if (need_thread(threads))
		return -ENOMEM;
	first = threads->list[threads->count++];
	first->id = FIRST_ID;
	strcpy(first->name, FIRST_NAME);
	threads->current = threads->loaded = first;
	return 0;
}

void threads_done(struct linux_threads *threads)
{
	for (unsigned i = 0; i < LINUX_THREADS_MAX && threads->list[i]; i++) {
		free(threads->list[i]->frame);
		free(threads->list[i]);
	}
	*threads = (struct linux_threads){ .count = 0 };
}

static int copy_thread(struct linux_thread *to, const struct linux_thread *from,
		       bool is_loaded)
{
	struct thaw_frame *frame = to->frame;

	*to = *from;
	to->frame = frame;
	if (is_loaded)
		return 0;
	if (threads_need_frame(to))
		return -ENOMEM;
	memcpy(to->frame, from->frame, sizeof(*to->frame));
	return 0;
}

int threads_copy(struct linux_threads *to, const struct linux_threads *from)
{
	int r = 0;

	for (to->count = 0; to->count < from->count && !r; to->count++) {
		const struct linux_thread *thread = from->list[to->count];

		if (need_thread(to))
			return -ENOMEM;
		r = copy_thread(to->list[to->count], thread,
				thread == from->loaded);
	}
	if (r)
		return r;
	to->turn = from->turn;
	to->current = to->list[index_of(from, from->current)];
	to->loaded = to->list[index_of(from, from->loaded)];
	to->last_id = from->last_id;
	to->is_yielding = false;
	to->main_status = from->main_status;
	to->is_main_ended = from->is_main_ended;
	to->calls = from->calls;
	to->futex_turn = from->futex_turn;
	to->turn_end_ns = 0;
	return 0;
}

/* Ids count on, so that one is not soon used again. */
static int32_t next_id(struct linux_threads *threads)
{
	do
		threads->last_id = threads->last_id % LINUX_THREAD_ID_MAX + 1;
	while (threads_find(threads, threads->last_id) ||
	       threads->last_id == FIRST_ID);
	return threads->last_id;
}

int threads_add(struct linux_threads *threads, struct linux_thread **ret_thread)
{
	struct linux_thread *thread;
	struct thaw_frame *frame;

	if (threads->count == LINUX_THREADS_MAX)
		return -EAGAIN;
	if (need_thread(threads))
		return -ENOMEM;
	thread = threads->list[threads->count];
	if (threads_need_frame(thread))
		return -ENOMEM;
	frame = thread->frame;
	*thread = (struct linux_thread){ .frame = frame };
	thread->id = next_id(threads);
	threads->count++;
	*ret_thread = thread;
	return 0;
}

void threads_remove(struct linux_threads *threads, struct linux_thread *thread)
{
	const unsigned at = index_of(threads, thread);

	threads->count--;
	memmove(&threads->list[at], &threads->list[at + 1],
		(threads->count - at) * sizeof(*threads->list));
	threads->list[threads->count] = thread;
	threads->turn = at;
	if (threads->current == thread)
		threads->current = NULL;
	if (threads->loaded == thread)
		threads->loaded = NULL;
}

struct linux_thread *threads_find(const struct linux_threads *threads,
				  int32_t id)
{
	for (unsigned i = 0; i < threads->count; i++)
		if (threads->list[i]->id == id)
			return threads->list[i];
	return NULL;
}
