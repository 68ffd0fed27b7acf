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

struct invocation *run_queue_pop(struct run_queue *queue)
{
	struct run_line *line = queue->first;
	struct invocation *invocation = line->first;

	queue->first = line->next;
	if (!queue->first)
		queue->last = &queue->first;
	line->first = invocation->next;
	if (line->first)
		add_line(queue, line);
	queue->count--;
	queue->turns++;
	return invocation;
}
