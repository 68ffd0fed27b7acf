/*
 * event_line.h - the Event invocations of one function: how many there are, how
 * many have their turn, and those that wait for it, in the order of arrival.
 *
 *	event_line_enter(&line, room)		accepted
 *	event_line_push(&line, &place)		it waits
 *	event_line_next(&line, max, has_vm)	its turn: it runs
 *	event_line_end_turn(&line)		it has run
 *	event_line_exit(&line)			done, or dropped
 *
 * A function keeps its line when the catalog is reloaded. Any thread may call;
 * a lock inside.
 */
#ifndef EXECUTOR_SERVER_EVENT_LINE_H
#define EXECUTOR_SERVER_EVENT_LINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Embedded in what waits; zeroed before its first use. */
struct event_place {
	struct event_place *next;
	struct event_place **link; /* what points here; NULL: not in line */
};

struct event_line {
	pthread_mutex_t lock;
	struct event_place *first, **last;
	uint64_t count; /* accepted and not over */
	uint64_t turns; /* of these, those that have their turn */
};

void event_line_init(struct event_line *line);
void event_line_done(struct event_line *line);

/*
 * Accepts one more, unless this function has more than @room already, the places
 * that are left for all functions. So one function never takes all of them. False:
 * it is not accepted.
 */
bool event_line_enter(struct event_line *line, uint64_t room);
void event_line_exit(struct event_line *line);

/* Waits, behind all others. */
void event_line_push(struct event_line *line, struct event_place *place);

/* Waits no more; false: it did not, or its turn has come meanwhile. */
bool event_line_leave(struct event_line *line, struct event_place *place);

/*
 * Whose turn it is: the first, while less than @max have theirs. If @has_vm is
 * false nobody but a single one has it, so that the others do not fill the
 * function's queue. NULL: nobody's.
 */
struct event_place *event_line_next(struct event_line *line, uint64_t max,
				    bool has_vm);

/* An event that had its turn has run. */
void event_line_end_turn(struct event_line *line);

#endif
