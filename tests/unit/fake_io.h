/*
 * fake_io.h - an io whose events are the test's: bytes come, bytes go and clients
 * leave when the test says so. executor/io/io.c is the real one; only its backend is
 * a fake.
 */
#ifndef TESTS_UNIT_FAKE_IO_H
#define TESTS_UNIT_FAKE_IO_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/io/io.h"

/* How often something has begun to be sent, in all. */
extern unsigned fake_io_sends;

/* How often what has begun was submitted, in all. */
extern unsigned fake_io_flushes;

/* For io_free(). Aborts if there is no memory. */
struct io *fake_io_create(void);

/* Its worker sleeps until somebody wakes it by a message. */
void fake_io_sleep(struct io *io);

/* Whether a message, or a stream, is to be handled in the next io_wait(). */
bool fake_io_has_work(const struct io *io);

/* Whether there are streams that are not closed yet. */
bool fake_io_has_streams(const struct io *io);

/* A socket for io_stream_open(), whose other end is closed. */
int fake_io_socket(void);

/* Bytes come. False: the server does not read from the stream just now. */
bool fake_io_receive(struct io_stream *stream, const char *bytes, size_t size);

/*
 * Bytes come to where the server has room for them: returns how many of them, which
 * are gone then. 0: it has none.
 */
size_t fake_io_fill(struct io_stream *stream, const char *bytes, size_t size);

/* All that is being sent has gone (0), or never will. False: nothing is. */
bool fake_io_sent(struct io_stream *stream, int error);

/* The client has said all (0), or is gone. */
void fake_io_end(struct io_stream *stream, int error);

#endif
