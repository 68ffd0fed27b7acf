/*
 * server_fixture.h - a server with two functions, in which a test makes everything
 * happen that takes time: bytes come, replies go, vms are free, workers have their
 * turns and offloaded work runs when the test says so. Connections, invocations and
 * workers are the server's own; below them are fake_io.h and fake_engine.h.
 */
#ifndef TESTS_UNIT_SERVER_FIXTURE_H
#define TESTS_UNIT_SERVER_FIXTURE_H

#include "executor/server/connection.h"
#include "executor/server/listener.h"
#include "executor/server/server_state.h"
#include "tests/unit/fake_engine.h"
#include "tests/unit/fake_io.h"

/* "function" and "other". */
#define FIXTURE_FUNCTIONS 2

struct fixture {
	struct server *server;
	struct worker *worker; /* the first; it has all connections */
	struct deployment *deployments[FIXTURE_FUNCTIONS];
	struct deployment *deployment; /* the first: "function" */
};

extern struct fixture fixture;

/* Each function has one vm, and room for 100 that wait. */
void fixture_begin(unsigned workers);
void fixture_done(void);

/* What the catalog says of a function: a test changes it before it is used. */
struct catalog_function *fixture_spec(unsigned index);

/* The vms of a function's pool: those that are there, and those that can be made. */
void fixture_set_vms(unsigned index, unsigned idle, unsigned unmade);

/* Opens a connection by a listener of @kind. The test is its client. */
struct io_stream *fixture_open(enum listener_kind kind);

/* As those of fake_io.h; false, too, if the server has closed the connection. */
bool fixture_receive(struct io_stream *stream, const char *bytes, size_t size);
size_t fixture_fill(struct io_stream *stream, const char *bytes, size_t size);
bool fixture_sent(struct io_stream *stream, int error);
void fixture_end(struct io_stream *stream, int error);

/* The server closes it. */
void fixture_close(struct io_stream *stream);

/* One round of a worker. False: it may sleep. */
bool fixture_turn(unsigned index);

/* Rounds until nothing waits in its queue, or was sent to it. */
void fixture_turns(unsigned index);

/* Runs what was offloaded next; vms are made first. False: there is nothing. */
bool fixture_run_work(void);

/* Everything that is under way comes to its end; replies go, or fail. */
void fixture_settle(int send_error);

/* Fires the timers that are due in the next 15 s. */
void fixture_fire_timers(void);

/* Fires those of who still waits, again and again, or closes the connection. */
void fixture_end_all(void);

/* Checks that nothing is left, and that nothing is counted any more. */
void fixture_check(void);

#endif
