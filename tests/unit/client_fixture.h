/*
 * client_fixture.h - a server of one connection, for the tests of libthaw's
 * client: a thread that does what the test wants of a server.
 *
 *	tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
 *	...
 *	fixture_start(fixture_echo);
 *	thaw_client_invoke(client, ...);
 *	fixture_stop();
 */
#ifndef TESTS_UNIT_CLIENT_FIXTURE_H
#define TESTS_UNIT_CLIENT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/libthaw.h"
#include "executor/protocol/frame.h"

#define FIXTURE_LARGE ((size_t)4 * 1024 * 1024)

/* Serves one connection, which is closed when it returns. */
typedef void (*fixture_serve_fn)(int fd);

extern char fixture_directory[32], fixture_path[64];
extern struct thaw_client *client;
extern struct thaw_error error;

/* A socket that listens at @fixture_path, in a folder of its own. */
void fixture_set_up(void);
void fixture_tear_down(void);
void fixture_stop_listening(void);

/* Has a thread accept a connection; and connects @client to it. */
void fixture_serve(fixture_serve_fn function);
void fixture_start(fixture_serve_fn function);

/* Waits for the thread's end; disconnects before that. */
void fixture_wait(void);
void fixture_stop(void);

/* All of the bytes, or false: the client is gone. */
bool fixture_read(int fd, void *to, size_t size);
bool fixture_write(int fd, const void *from, size_t size);

/* One request; its frame is to be freed. NULL: the client is gone. */
char *fixture_read_request(int fd, struct frame_request *ret_request);
bool fixture_write_reply(int fd, const struct frame_reply *reply);

/* Replies with the request, until the client goes. */
void fixture_echo(int fd);

#endif
