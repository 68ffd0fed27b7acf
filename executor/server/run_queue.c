/* run_queue.c - who has used least is next. See run_queue.h. */
#include "executor/server/run_queue.h"

#include <stddef.h>

#include "executor/server/invocation.h"

static void count(struct run_queue *queue, struct invocation *invocation)
{
	invocation->popped = queue->popped;
	queue->count++;
}

/* The line was empty. */
static void add_line(struct run_queue *queue, struct run_line *line)
{
	uint64_t used_ns = line->place.at_ns;

	if (used_ns < queue->used_ns)
		used_ns = queue->used_ns;
	timer_set(&queue->lines, &line->place, used_ns);
}

void run_queue_push(struct run_queue *queue, struct run_line *line,
		    struct invocation *invocation)
{
	invocation->next = NULL;
	if (line->first) {
		*line->last = invocation;
	} else {
		line->first = invocation;
		add_line(queue, line);
	}
	line->last = &invocation->next;
	count(queue, invocation);
}

void run_queue_push_first(struct run_queue *queue, struct run_line *line,
			  struct invocation *invocation)
{
	if (!line->first) {
		run_queue_push(queue, line, invocation);
		return;
	}
	invocation->next = line->first;
	line->first = invocation;
	count(queue, invocation);
}

struct run_line *run_queue_pop(struct run_queue *queue,
			       struct invocation **ret_invocation)
{
	struct run_line *line = (struct run_line *)queue->lines.root;

	*ret_invocation = line->first;
	line->first = line->first->next;
	queue->used_ns = line->place.at_ns;
	if (!line->first)
		timer_clear(&queue->lines, &line->place);
	queue->count--;
	queue->popped++;
	return line;
}

void run_queue_charge(struct run_queue *queue, struct run_line *line,
		      uint64_t ns)
{
	const uint64_t used_ns = line->place.at_ns + ns;

	if (line->first)
		timer_set(&queue->lines, &line->place, used_ns);
	else
		line->place.at_ns = used_ns;
}
