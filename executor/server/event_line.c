/* event_line.c - Event invocations that wait for their turn. See event_line.h. */
#include "executor/server/event_line.h"

#include <stddef.h>

void event_line_init(struct event_line *line)
{
	*line = (struct event_line){ .last = &line->first };
	pthread_mutex_init(&line->lock, NULL);
}

void event_line_done(struct event_line *line)
{
	pthread_mutex_destroy(&line->lock);
}

bool event_line_enter(struct event_line *line, uint64_t room)
{
	bool enters;

	pthread_mutex_lock(&line->lock);
	enters = room && line->count <= room;
	line->count += enters;
	pthread_mutex_unlock(&line->lock);
	return enters;
}

void event_line_exit(struct event_line *line)
{
	pthread_mutex_lock(&line->lock);
	line->count--;
	pthread_mutex_unlock(&line->lock);
}

void event_line_push(struct event_line *line, struct event_place *place)
{
	pthread_mutex_lock(&line->lock);
	place->next = NULL;
	place->link = line->last;
	*line->last = place;
	line->last = &place->next;
	pthread_mutex_unlock(&line->lock);
}

/* With the lock. */
static void event_line_take_out(struct event_line *line,
				struct event_place *place)
{
	*place->link = place->next;
	if (place->next)
		place->next->link = place->link;
	else
		line->last = place->link;
	place->link = NULL;
}

bool event_line_leave(struct event_line *line, struct event_place *place)
{
	bool waits;

	pthread_mutex_lock(&line->lock);
	waits = place->link != NULL;
	if (waits)
		event_line_take_out(line, place);
	pthread_mutex_unlock(&line->lock);
	return waits;
}

struct event_place *event_line_next(struct event_line *line, uint64_t max,
				    bool has_vm)
{
	struct event_place *place = NULL;

	pthread_mutex_lock(&line->lock);
	if (line->first && line->turns < (has_vm ? max : 1)) {
		place = line->first;
		event_line_take_out(line, place);
		line->turns++;
	}
	pthread_mutex_unlock(&line->lock);
	return place;
}

void event_line_end_turn(struct event_line *line)
{
	pthread_mutex_lock(&line->lock);
	line->turns--;
	pthread_mutex_unlock(&line->lock);
}
