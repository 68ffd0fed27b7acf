/*
 * leave_fixture.h - a worker with one function, of which all that takes time is
 * the test's: bytes come, replies go, vms are free and offloaded work runs when it
 * says so. Connections, invocations and io.c are the server's own.
 */
#ifndef TESTS_UNIT_LEAVE_FIXTURE_H
#define TESTS_UNIT_LEAVE_FIXTURE_H

#include "executor/server/connection.h"
#include "executor/server/listener.h"
#include "executor/server/server_state.h"

struct leave {
	struct server *server;
	struct worker *worker;
	struct deployment *deployment;	  /* its name is "function" */
	struct offload_work *offload;	  /* the last one first */
	struct pool_waiter *line, *first; /* who has just left it for a vm */
	bool vm_is_out;			  /* there is one */
	bool is_polled;			  /* the next run */
	bool polls_end;			  /* polled runs */
	size_t reply_size;		  /* 0: a small one */
	unsigned running;
	unsigned sends; /* begun, in all */
	size_t sum;	/* of what was read */
};

extern struct leave fixture;

void leave_begin(void);
void leave_done(void);

/* Opens a connection by a listener of @kind; the test is its client. */
struct io_stream *leave_open(enum listener_kind kind);

/* Bytes come; false: it is not read from just now. */
bool leave_send(struct io_stream *stream, const char *bytes, size_t size);

/* What is being sent has gone (0), or never will; false: there is nothing. */
bool leave_sent(struct io_stream *stream, int error);

/* The client is gone, or has said all (0). */
void leave_end(struct io_stream *stream, int error);

/* The server closes it. */
void leave_close(struct io_stream *stream);

/* One round of the worker. */
void leave_turn(void);

/* Runs the work that was offloaded last; false: there is none. */
bool leave_run_work(void);

/* All that is under way comes to its end; replies go, or fail. */
void leave_settle(int send_error);

/* All times that are set now are over. */
void leave_fire_timers(void);

/* The same for those that still wait: their times run out, or they are closed. */
void leave_end_all(void);

/* Nothing is left, and nothing is counted. */
void leave_check(void);

#endif
