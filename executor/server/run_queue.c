/* run_queue.c - the line that has used the least time is next. See run_queue.h. */
#include "executor/server/run_queue.h"

#include <stddef.h>

#include "base/hot.h"

static void run_queue_count(struct run_queue *queue, struct run_entry *entry)
{
	entry->popped = queue->popped;
	queue->count++;
}

/* The line was empty. */
static void run_queue_add_line(struct run_queue *queue, struct run_line *line)
{
	uint64_t used_ns = line->place.at_ns;

	if (used_ns < queue->used_ns)
		used_ns = queue->used_ns;
	timer_set(&queue->lines, &line->place, used_ns);
}

HOT void run_queue_push(struct run_queue *queue, struct run_line *line,
			struct run_entry *entry)
{
	entry->next = NULL;
	if (line->first) {
		*line->last = entry;
	} else {
		line->first = entry;
		run_queue_add_line(queue, line);
	}
	line->last = &entry->next;
	run_queue_count(queue, entry);
}

void run_queue_push_first(struct run_queue *queue, struct run_line *line,
			  struct run_entry *entry)
{
	if (!line->first) {
		run_queue_push(queue, line, entry);
		return;
	}
	entry->next = line->first;
	line->first = entry;
	run_queue_count(queue, entry);
}

HOT struct run_line *run_queue_pop(struct run_queue *queue,
				   struct run_entry **ret_entry)
{
	struct run_line *line = (struct run_line *)queue->lines.root;

	*ret_entry = line->first;
	line->first = line->first->next;
	queue->used_ns = line->place.at_ns;
	if (!line->first)
		timer_clear(&queue->lines, &line->place);
	queue->count--;
	queue->popped++;
	return line;
}

HOT void run_queue_charge(struct run_queue *queue, struct run_line *line,
			  uint64_t ns)
{
	const uint64_t used_ns = line->place.at_ns + ns;

	if (line->first)
		timer_set(&queue->lines, &line->place, used_ns);
	else
		line->place.at_ns = used_ns;
}
