/* run_queue.c - functions take turns. See run_queue.h. */
#include "executor/server/run_queue.h"

#include <stddef.h>

#include "executor/server/invocation.h"

void run_queue_init(struct run_queue *queue)
{
	*queue = (struct run_queue){ .last = &queue->first };
}

static void add_line(struct run_queue *queue, struct run_line *line)
{
	line->next = NULL;
	*queue->last = line;
	queue->last = &line->next;
}

void run_queue_push(struct run_queue *queue, struct run_line *line,
		    struct invocation *invocation)
{
	invocation->next = NULL;
	invocation->turn = queue->turns;
	if (line->first) {
		*line->last = invocation;
	} else {
		line->first = invocation;
		add_line(queue, line);
	}
	line->last = &invocation->next;
	queue->count++;
}

/* Takes the first line out. */
static struct run_line *take_line(struct run_queue *queue)
{
	struct run_line *line = queue->first;

	queue->first = line->next;
	if (!queue->first)
		queue->last = &queue->first;
	return line;
}

struct invocation *run_queue_pop(struct run_queue *queue)
{
	struct run_line *line = queue->first;
	struct invocation *invocation = line->first;

	line->first = invocation->next;
	if (!line->first)
		take_line(queue);
	queue->count--;
	return invocation;
}

void run_queue_charge(struct run_queue *queue, struct run_line *line,
		      uint64_t ns)
{
	if (queue->first == line) {
		/* it has more waiting, and so is there */
		line->used_ns += ns;
		ns = line->used_ns;
	}
	if (ns < RUN_QUEUE_TURN_NS)
		return;
	queue->turns++;
	if (queue->first != line)
		return;
	line->used_ns = 0;
	add_line(queue, take_line(queue));
}
